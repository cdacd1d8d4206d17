/** Files of a node, in its working directory. */
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { FileReader, Files, UnreadFile } from '../node/index.ts';
import { openDraft } from './file-draft.ts';
import { growFile } from './growing-file.ts';
import { StateFile } from './state-file.ts';
import { attempt, systemWords } from './system-words.ts';
import { readWhole, replaceWhole, syncPath } from './whole-file.ts';

export interface MachineFiles extends Files {
  /** Nothing is written any more. */
  close(): void;
}

/** `directory` is asked at each call, because CONFIG SET dir may move it. */
export function machineFiles(directory: () => string): MachineFiles {
  const states = new Map<string, StateFile>();
  const state = (name: string): StateFile => {
    const path = resolve(directory(), name);
    let file = states.get(path);
    if (file === undefined) states.set(path, (file = new StateFile(path)));
    return file;
  };
  return {
    read: (name) => reading(() => readWhole(resolve(directory(), name))),
    replace: (name, text) => attempt(() => replaceWhole(resolve(directory(), name), text)),
    readState: (name) => reading(() => state(name).read()),
    saveState: (name, text, manner) => state(name).save(text, manner),
    open: (name) => open(resolve(directory(), name)),
    draft: (options, events) => openDraft(directory(), options, events),
    grow: (name, from) => growFile(resolve(directory(), name), from),
    sizeOf: (name) => statSync(resolve(directory(), name), { throwIfNoEntry: false })?.size,
    rename: (from, to) =>
      attempt(() => {
        renameSync(resolve(directory(), from), resolve(directory(), to));
        syncPath(dirname(resolve(directory(), to)));
      }),
    remove: (name) => attempt(() => rmSync(resolve(directory(), name), { force: true })),
    truncate: (name, size) => attempt(() => truncateSync(resolve(directory(), name), size)),
    directory: (name) => workingDirectory(name === '' ? name : resolve(directory(), name)),
    makeDirectory: (name) =>
      attempt(() => void mkdirSync(resolve(directory(), name), { recursive: true })),
    close: () => {
      for (const file of states.values()) file.close();
    },
  };
}

function reading(read: () => string | undefined): string | UnreadFile | undefined {
  try {
    return read();
  } catch (error) {
    return { failure: systemWords(error) };
  }
}

/** As far as the process may enter it, as a change to it would. */
function workingDirectory(path: string): string | UnreadFile {
  try {
    accessSync(path === '' ? path : `${path}/.`, constants.X_OK);
    return path;
  } catch (error) {
    return { failure: systemWords(error) };
  }
}

function open(path: string): FileReader | string | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : systemWords(error);
  }
  return {
    size: fstatSync(file).size,
    read: (buf) => {
      try {
        return readSync(file, buf, 0, buf.length, null);
      } catch (error) {
        return systemWords(error);
      }
    },
    close: () => closeSync(file),
  };
}
