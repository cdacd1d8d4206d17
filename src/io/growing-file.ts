/** Files that grow in place, on the disk of this machine. */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  writeSync,
} from 'node:fs';
import type { GrowingFile } from '../node/index.ts';
import { attempt, systemWords } from './system-words.ts';

/** Opens the file at `path`: an empty one, or behind what is there. */
export function growFile(path: string, from: 'empty' | 'end'): GrowingFile | string {
  try {
    return growingFile(openSync(path, from === 'empty' ? 'w' : 'a', 0o644));
  } catch (error) {
    return systemWords(error);
  }
}

function growingFile(fd: number): GrowingFile {
  let size = fstatSync(fd).size;
  let syncing = 0;
  let isClosed = false;
  return {
    get size() {
      return size;
    },
    write: (buf, at, count) => {
      let written = 0;
      try {
        while (written < count) written += writeSync(fd, buf, at + written, count - written);
        size += count;
        return undefined;
      } catch (error) {
        // What did fit must not stay: half a command would damage the file.
        if (written > 0) ftruncateSync(fd, size);
        return systemWords(error);
      }
    },
    sync: () => attempt(() => fdatasyncSync(fd)),
    syncSoon: (done) => {
      syncing++;
      fdatasync(fd, (error) => {
        syncing--;
        if (isClosed && syncing === 0) closeSync(fd);
        done(error === null ? undefined : systemWords(error));
      });
    },
    close: () => {
      isClosed = true;
      // Its number must not go to another file while the system still works on it.
      if (syncing === 0) closeSync(fd);
    },
  };
}
