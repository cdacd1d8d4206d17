/** Files that are read and replaced whole. */
import {
  close,
  closeSync,
  fsync,
  fsyncSync,
  open,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { attempt } from './system-words.ts';

/** The text, one character a byte; undefined when there is no such file. */
export function readWhole(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Written aside, synced, renamed: a power cut leaves the old file or the new one, and after the return the new one. */
export function replaceWhole(path: string, text: string): void {
  const aside = `${path}.tmp-${process.pid}`;
  try {
    const file = openSync(aside, 'w', 0o644);
    try {
      writeSync(file, text, null, 'latin1');
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(aside, path);
  } catch (error) {
    // The first failure is the one to tell, also where the leftover cannot be removed.
    attempt(() => rmSync(aside, { force: true }));
    throw error;
  }
  // A rename is on disk only when its directory is.
  syncPath(dirname(path));
}

/** Syncs a file or a directory. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The same by the system's threads; `done` comes later. */
export function syncPathSoon(path: string, done: (error: Error | null) => void): void {
  open(path, 'r', (error, file) => {
    if (error !== null) return done(error);
    fsync(file, (failure) => close(file, (closing) => done(failure ?? closing)));
  });
}
