/**
 * Empties the target of what a master may have before its snapshot comes. Later would be too late: a key that the source
 * makes anew after its snapshot must not meet what the target had under that name.
 */
import {
  type Abilities,
  type KeyBatch,
  type Side,
  ask,
  askReadAbilities,
  isProgressKey,
  keysOf,
  scanPage,
} from '../flow/index.ts';

const SCAN_COUNT = 1000;

/** Removes the keys for which `isOurs` holds; answers how many. Throws ToolError and ClientError. */
export async function clearTarget(
  target: Side,
  isOurs: (batch: KeyBatch, index: number) => boolean,
): Promise<number> {
  const { unlink } = await askReadAbilities(target.deployment);
  const counts = target.deployment.masters().map(async (_, master) => {
    let removed = 0;
    const client = await target.deployment.connection(master, target.db);
    for (let cursor = '0'; ;) {
      const page = await scanPage(client, { cursor, count: SCAN_COUNT });
      const keys = keysOf(
        page.keys,
        (batch, index) =>
          !isProgressKey(batch.buf, batch.at[index]!, batch.size[index]!) && isOurs(batch, index),
      );
      await remove(target, page.keys, keys, unlink);
      removed += keys.length;
      ({ cursor } = page);
      if (cursor === '0') return removed;
    }
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function remove(
  side: Side,
  batch: KeyBatch,
  keys: readonly number[],
  unlink: Abilities['unlink'],
): Promise<void> {
  await ask(side, {
    batch,
    keys,
    perKey: 1,
    write: (out, { buf, at, size }, index) => {
      out.begin(2);
      out.word(unlink);
      out.argument(buf, at[index]!, size[index]!);
    },
  });
}
