/** Files that grow in place, on the disk of this machine. */
import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  writeSync,
} from 'node:fs';
import type { GrowingFile } from '../node/index.ts';
import { attempt, systemWords } from './system-words.ts';

/** Writes go to the end, wherever a write before them was cut back to. */
const AT_END = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;

/** Opens the file at `path`: an empty one, or behind what is there. */
export function growFile(path: string, from: 'empty' | 'end'): GrowingFile | string {
  try {
    return growingFile(
      openSync(path, from === 'empty' ? AT_END | constants.O_TRUNC : AT_END, 0o644),
    );
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
        // What did fit should not stay: half a command would damage the file.
        const isCutBack = written === 0 || attempt(() => ftruncateSync(fd, size)) === undefined;
        if (!isCutBack) size += written;
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
