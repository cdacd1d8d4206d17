/** Why a snapshot cannot be read. */
import type { RdbFailure } from '../../rdb/index.ts';

export function failureText(failure: RdbFailure): string {
  if (failure.kind !== 'unsupported') return failure.reason;
  return `the key "${failure.key.toString()}" holds a ${failure.what}`;
}
