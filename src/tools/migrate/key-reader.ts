/** Keys of the source as they are at one offset of its stream. */
import type { Argument, RespClient } from '../../client/index.ts';
import { replyFacts, replyItems, replyText } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import type { SlotKey } from './slot-key.ts';

export interface KeysAtOffset {
  /** Those that there are. */
  readonly keys: readonly SlotKey[];
  readonly missing: readonly Buffer[];
  /** Of the master's stream: it is later than all that made them. */
  readonly offset: number;
  /** What the command before them was answered. */
  readonly before: Reply | undefined;
}

/**
 * Reads keys, of one slot in a cluster, in one transaction, behind another command if one is given. Answers why not when
 * the node refuses. Throws ClientError.
 */
export async function readAtOnce(
  client: RespClient,
  names: readonly Buffer[],
  before: readonly Argument[] | undefined,
): Promise<KeysAtOffset | ReplyError> {
  const replies = await client.pipeline([
    ['MULTI'],
    ...(before === undefined ? [] : [before]),
    ...names.flatMap((name) => [
      ['DUMP', name],
      ['PTTL', name],
    ]),
    // A moment itself can be asked for only since Redis 7.
    ['TIME'],
    ['INFO', 'replication'],
    ['EXEC'],
  ]);
  const results = replyItems(replies.at(-1));
  const refusal = replies.find((reply) => reply instanceof ReplyError);
  if (results.length === 0) return refusal ?? new ReplyError('ERR no answer');
  const first = before === undefined ? 0 : 1;
  const [seconds, microseconds] = replyItems(results.at(-2)).map((item) => Number(replyText(item)));
  const now = (seconds ?? 0) * 1000 + Math.floor((microseconds ?? 0) / 1000);
  const keys: SlotKey[] = [];
  const missing: Buffer[] = [];
  for (const [i, name] of names.entries()) {
    const [payload, ttl] = [results[first + 2 * i], results[first + 2 * i + 1]];
    if (!Buffer.isBuffer(payload)) missing.push(name);
    else keys.push({ name, payload, expireAtUnixMs: Number(ttl) < 0 ? 0 : now + Number(ttl) });
  }
  const offset = Number(replyFacts(results.at(-1)).get('master_repl_offset'));
  return { keys, missing, offset, before: before === undefined ? undefined : results[0] };
}
