/** Data files of a node, in its working directory. */
import {
  closeSync,
  fstatSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Disk, InputFile, OutputFile } from '../node/index.ts';
import { systemWords } from './system-words.ts';

/** `directory` is asked at each call, because CONFIG SET dir may move it. */
export function nodeDisk(directory: () => string): Disk {
  const path = (name: string): string => resolve(directory(), name);
  return {
    openOutput: (name, mode) => {
      try {
        return { file: outputFile(openSync(path(name), mode === 'create' ? 'w' : 'a', 0o644)) };
      } catch (error) {
        return { failure: systemWords(error) };
      }
    },
    openInput: (name) => {
      try {
        return { file: inputFile(openSync(path(name), 'r')) };
      } catch (error) {
        return isAbsent(error) ? undefined : { failure: systemWords(error) };
      }
    },
    sizeOf: (name) => statSync(path(name), { throwIfNoEntry: false })?.size,
    rename: (from, to) =>
      attempt(() => {
        renameSync(path(from), path(to));
        syncDirectory(dirname(path(to)));
      }),
    remove: (name) => attempt(() => rmSync(path(name), { force: true })),
    truncate: (name, size) => attempt(() => truncateSync(path(name), size)),
    makeDirectory: (name) => attempt(() => void mkdirSync(path(name), { recursive: true })),
  };
}

/** A rename is on disk only when its directory is. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function outputFile(fd: number): OutputFile {
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

function inputFile(fd: number): InputFile {
  return {
    size: fstatSync(fd).size,
    read: (buf, at, size) => {
      try {
        return readSync(fd, buf, at, size, null);
      } catch (error) {
        return systemWords(error);
      }
    },
    close: () => closeSync(fd),
  };
}

function attempt(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return systemWords(error);
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
