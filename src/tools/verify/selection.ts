/** Which keys are looked at. */
import { crc16, globMatches } from '../../base/index.ts';
import { type KeyBatch, isProgressKey } from '../flow/index.ts';

export interface Selection {
  /** Glob-style patterns, any of which a key may match; all keys without any. */
  readonly filters: readonly string[];
  /** Part of the keys to look at, in (0, 1]. */
  readonly sample: number;
}

const CRC_RANGE = 0x1_0000;

/** The choice depends on the key alone, so that both sides make the same. What a migration keeps there is no data. */
export function keyChooser({
  filters,
  sample,
}: Selection): (batch: KeyBatch, index: number) => boolean {
  const patterns = filters.map((filter) => Buffer.from(filter));
  return ({ buf, at, size }, index) => {
    const [from, length] = [at[index] ?? 0, size[index] ?? 0];
    if (isProgressKey(buf, from, length)) return false;
    if (sample < 1 && crc16(buf, from, length) >= sample * CRC_RANGE) return false;
    if (patterns.length === 0) return true;
    return patterns.some((pattern) =>
      globMatches(pattern, 0, pattern.length, buf, from, length, false),
    );
  };
}

/** What SCAN can leave out by itself. */
export function scanPattern({ filters }: Selection): string | undefined {
  return filters.length === 1 ? filters[0] : undefined;
}
