/** Files of a node, in its working directory. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Files } from '../node/index.ts';
import { syncDirectory } from './disk.ts';

/** `directory` is asked at each call, because CONFIG SET dir may move it. */
export function nodeFiles(directory: () => string): Files {
  return {
    read: (name) => {
      try {
        return readFileSync(resolve(directory(), name), 'latin1');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    replace: (name, text, isSynced) => {
      try {
        replace(resolve(directory(), name), text, isSynced);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
}

function replace(path: string, text: string, isSynced: boolean): void {
  const aside = `${path}.tmp-${process.pid}`;
  try {
    const file = openSync(aside, 'w', 0o644);
    try {
      writeSync(file, text, null, 'latin1');
      // Without this a power cut could leave an empty file in place of one that holds promises.
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
  if (isSynced) syncDirectory(dirname(path));
}
