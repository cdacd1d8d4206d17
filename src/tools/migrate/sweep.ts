/**
 * Removes keys of the target that the source does not have. The stream must stand still meanwhile: then a key that the
 * source creates after it was asked is written after it was removed, and none is lost.
 */
import { type KeyBatch, type Side, ask, keysOf, scanPage } from '../flow/index.ts';

export interface SweepOptions {
  readonly source: Side;
  readonly target: Side;
  /** Whether a key is one that this source would have. */
  readonly isOurs: (batch: KeyBatch, index: number) => boolean;
}

const SCAN_COUNT = 1000;
const COLON = 0x3a;
const ZERO = 0x30;

/** Answers how many keys were removed. Throws ToolError and ClientError. */
export async function sweep({ source, target, isOurs }: SweepOptions): Promise<number> {
  const counts = target.deployment.masters().map(async (_, master) => {
    let removed = 0;
    const client = await target.deployment.connection(master, target.db);
    for (let cursor = '0'; ;) {
      const page = await scanPage(client, { cursor, count: SCAN_COUNT });
      const keys = keysOf(page.keys, isOurs);
      const extra = await missingOn(source, page.keys, keys);
      await about('UNLINK', target, page.keys, extra);
      removed += extra.length;
      ({ cursor } = page);
      if (cursor === '0') return removed;
    }
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** The keys of which the source says that it does not have them; not those it answers with an error. */
async function missingOn(
  source: Side,
  batch: KeyBatch,
  keys: readonly number[],
): Promise<readonly number[]> {
  const { bufs, starts } = await about('EXISTS', source, batch, keys);
  return keys.filter((_, place) => {
    const [buf, start] = [bufs[place]!, starts[place]!];
    return buf[start] === COLON && buf[start + 1] === ZERO;
  });
}

function about(
  command: string,
  side: Side,
  batch: KeyBatch,
  keys: readonly number[],
): ReturnType<typeof ask> {
  return ask(side, {
    batch,
    keys,
    perKey: 1,
    write: (out, { buf, at, size }, index) => {
      out.begin(2);
      out.word(command);
      out.argument(buf, at[index]!, size[index]!);
    },
  });
}
