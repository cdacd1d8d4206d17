/** The usual shapes of key specifications. */
import type { KeyFlag, KeySpec } from './spec.ts';

/** One key, at argument `at`. */
export function keyAt(at: number, ...flags: readonly KeyFlag[]): KeySpec {
  return { flags, begin: { at }, find: { last: 0, step: 1, limit: 0 } };
}

/** Keys from argument `at` to the last one. */
export function keysFrom(at: number, ...flags: readonly KeyFlag[]): KeySpec {
  return { flags, begin: { at }, find: { last: -1, step: 1, limit: 0 } };
}

/** Every second argument from `at` to the last one, as in key value key value. */
export function pairsFrom(at: number, ...flags: readonly KeyFlag[]): KeySpec {
  return { flags, begin: { at }, find: { last: -1, step: 2, limit: 0 } };
}
