/** Keys of every type, small and large, for tools that move or compare them. */
import type { Reply } from './resp-connection.ts';

export type Send = (...args: readonly (string | number | Buffer)[]) => Promise<Reply>;

export const FAR_FUTURE_MS = 4_102_444_800_000;
const LARGE_COUNT = 6000;
const BATCH = 500;

/** The same keys every time; each command has one key, so that a cluster takes them too. */
export async function fillWithEverything(send: Send): Promise<void> {
  await send('SET', 'string', 'some text');
  await send('SET', 'number', 12345);
  await send('SET', 'empty', '');
  await send('SET', Buffer.from([0, 255, 10, 13]), Buffer.from([1, 0, 200]));
  await send('SET', 'text:compressible', 'abc'.repeat(3000));
  await send('SET', 'text:long', longText());
  await send('SET', 'expiring', 'soon', 'PXAT', FAR_FUTURE_MS);
  await send('RPUSH', 'list', 'a', 'b', 'c', '4');
  await send('HSET', 'hash', 'f1', 'v1', 'f2', 22);
  await send('PEXPIREAT', 'hash', FAR_FUTURE_MS + 1);
  await send('SADD', 'set', 'x', 'y', 'z');
  await send('SADD', 'intset', 1, -70_000, '9223372036854775807');
  await send('ZADD', 'zset', 1, 'a', -2.5, 'b', 'inf', 'c', 'inf', 'd');
  await send('PFADD', 'hll', 'a', 'b', 'c');
  for (let i = 1; i <= 3; i++) await send('XADD', 'stream', `${i}-1`, 'name', i, 'other', 'value');
  await fillStream(send, 'stream:groups', 5);
  await fillStream(send, 'stream:large', LARGE_COUNT);
  await inBatches(send, ['RPUSH', 'list:large'], (i) => [`element ${i} ${'x'.repeat(50)}`]);
  await inBatches(send, ['HSET', 'hash:large'], (i) => [`field:${i}`, `value ${i * 7}`]);
  await inBatches(send, ['SADD', 'set:large'], (i) => [`member:${i}`]);
  await inBatches(send, ['ZADD', 'zset:large'], (i) => [i / 3, `member:${i}`]);
}

async function fillStream(send: Send, key: string, count: number): Promise<void> {
  for (let from = 1; from <= count; from += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, count + 1 - from) }, (_, i) => from + i);
    const filler = 'x'.repeat(30);
    await Promise.all(
      ids.map((id) => send('XADD', key, `${id}-1`, 'name', `n${id}`, 'filler', filler)),
    );
  }
  await send('XGROUP', 'CREATE', key, 'g', '0');
  await send('XREADGROUP', 'GROUP', 'g', 'one', 'COUNT', 2, 'STREAMS', key, '>');
  await send('XREADGROUP', 'GROUP', 'g', 'two', 'COUNT', 2, 'STREAMS', key, '>');
}

async function inBatches(
  send: Send,
  command: readonly string[],
  one: (index: number) => readonly (string | number)[],
): Promise<void> {
  for (let from = 0; from < LARGE_COUNT; from += BATCH) {
    const items = Array.from({ length: BATCH }, (_, i) => one(from + i)).flat();
    await send(...command, ...items);
  }
}

/** Text that does not repeat. */
function longText(): string {
  return Array.from({ length: 60_000 }, (_, i) => String(i))
    .join(' ')
    .slice(0, 300_000);
}
