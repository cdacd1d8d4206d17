/** The keys of several slots of a node, as views into its replies, and how large they are. */
import { RequestBuffer, type RawReplies, type RespClient } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { asToolError } from '../errors.ts';
import { type KeyBatch, readKeys } from '../flow/index.ts';

const COLON = 0x3a;
const MINUS = 0x2d;

/** At most `keysMax` keys of each of `slots`. Throws ToolError. */
export async function keysInSlots(
  client: RespClient,
  slots: readonly number[],
  keysMax: number,
): Promise<KeyBatch[]> {
  const out = new RequestBuffer();
  for (const slot of slots) {
    out.begin(4);
    for (const word of ['CLUSTER', 'GETKEYSINSLOT', String(slot), String(keysMax)]) out.word(word);
  }
  const replies = await exchange(client, out);
  return replies.starts.map((start, index) => {
    const keys = readKeys(replies.buf, start);
    if (keys === undefined) throw refused(client, replies, index);
    return keys;
  });
}

/** Bytes of the first `most` keys of each batch by MEMORY USAGE; 0 of a key that is gone, and before Redis 4. Throws ToolError. */
export async function sizesOf(
  client: RespClient,
  batches: readonly KeyBatch[],
  most: number,
): Promise<number[][]> {
  const out = new RequestBuffer();
  for (const { buf, at, size } of batches) {
    for (let i = 0; i < Math.min(most, at.length); i++) {
      out.begin(3);
      out.word('MEMORY');
      out.word('USAGE');
      out.argument(buf, at[i] ?? 0, size[i] ?? 0);
    }
  }
  if (out.count === 0) return batches.map(() => []);
  const replies = await exchange(client, out);
  let next = 0;
  return batches.map(({ at }) =>
    at.slice(0, most).map(() => {
      const index = next++;
      const start = replies.starts[index] ?? 0;
      if (replies.buf[start] === COLON) {
        return Number(replies.buf.toString('latin1', start + 1, replies.ends[index]));
      }
      const isError = replies.buf[start] === MINUS;
      if (isError && !isUnknown(replies, index)) throw refused(client, replies, index);
      return 0;
    }),
  );
}

async function exchange(client: RespClient, out: RequestBuffer): Promise<RawReplies> {
  const { count } = out;
  try {
    return await client.exchange(out.take(), count);
  } catch (error) {
    throw asToolError(error, client.name);
  }
}

function isUnknown({ buf, starts, ends }: RawReplies, index: number): boolean {
  return buf.toString('latin1', starts[index], ends[index]).startsWith('-ERR unknown command');
}

function refused(client: RespClient, { buf, starts, ends }: RawReplies, index: number): unknown {
  const text = buf.toString('utf8', (starts[index] ?? 0) + 1, ends[index]).trimEnd();
  return asToolError(new ReplyError(text), client.name);
}
