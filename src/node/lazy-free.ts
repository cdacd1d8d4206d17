/** Frees deleted values of many blocks between turns, so that no client waits for it. */
import type { Keyspace } from '../keyspace/index.ts';

/** A slice ends after this time, also while its code is not compiled yet and takes ten times as long as later, */
const SLICE_US = 250;
/** or after so many blocks. */
const SLICE_BLOCKS = 2048;
/** Blocks between two looks at the clock. */
const STEP_BLOCKS = 128;

interface LazyFreeHost {
  readonly keyspace: Keyspace;
  readonly clock: { monoUs(): number };
}

/** One slice; whether more is waiting. */
export function freeSome({ keyspace, clock }: LazyFreeHost): boolean {
  const haste = keyspace.rubbishHaste;
  const endUs = clock.monoUs() + SLICE_US * haste;
  for (let left = SLICE_BLOCKS * haste; left > 0; left -= STEP_BLOCKS) {
    if (!keyspace.collect(STEP_BLOCKS)) return false;
    if (clock.monoUs() >= endUs) break;
  }
  return true;
}
