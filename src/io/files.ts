/** Files of a node, in its working directory. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { FileReader, Files } from '../node/index.ts';
import { openDraft, syncDirectory } from './file-draft.ts';
import { growFile } from './growing-file.ts';
import { attempt } from './system-words.ts';

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
    open: (name) => open(resolve(directory(), name)),
    draft: (options, events) => openDraft(directory(), options, events),
    grow: (name, from) => growFile(resolve(directory(), name), from),
    sizeOf: (name) => statSync(resolve(directory(), name), { throwIfNoEntry: false })?.size,
    rename: (from, to) =>
      attempt(() => {
        renameSync(resolve(directory(), from), resolve(directory(), to));
        syncDirectory(dirname(resolve(directory(), to)));
      }),
    remove: (name) => attempt(() => rmSync(resolve(directory(), name), { force: true })),
    truncate: (name, size) => attempt(() => truncateSync(resolve(directory(), name), size)),
    makeDirectory: (name) =>
      attempt(() => void mkdirSync(resolve(directory(), name), { recursive: true })),
  };
}

function open(path: string): FileReader | string | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? undefined : message;
  }
  return {
    size: fstatSync(file).size,
    read: (buf) => {
      try {
        return readSync(file, buf, 0, buf.length, null);
      } catch (error) {
        return (error as Error).message;
      }
    },
    close: () => closeSync(file),
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
