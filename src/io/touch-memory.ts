/** Memory that the system gives in a thread of the pool, see `TouchMemory`. */
import { openSync, readv } from 'node:fs';
import type { TouchMemory } from '../keyspace/index.ts';

let zeros: number | undefined;

/** Reads a zero into each place; where there is no such file nothing is read, and memory comes when it is needed. */
export const touchMemory: TouchMemory = (bytes, done) => {
  try {
    zeros ??= openSync('/dev/zero', 'r');
  } catch {
    setImmediate(done);
    return;
  }
  // Whether it worked or not, the places can be used.
  readv(zeros, [...bytes], () => done());
};
