/** Slots of the source as they are at one offset of their master's stream. */
import { type RespClient, replyFacts, replyItems } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { ToolError } from '../errors.ts';
import { type KeysAtOffset, readAtOnce } from './key-reader.ts';

const READ_TRIES = 100;
/** Slots that are counted in one transaction. */
const COUNTED_SLOTS = 500;

/** Slots that had no key then. */
export interface EmptySlots {
  readonly slots: readonly number[];
  readonly offset: number;
}

/** Tells the slots of one master that have keys from those that have none, some of these at each offset. Throws ToolError and ClientError. */
export async function sortSlots(
  client: RespClient,
  slots: readonly number[],
): Promise<{ readonly filled: readonly number[]; readonly empty: readonly EmptySlots[] }> {
  const filled: number[] = [];
  const empty: EmptySlots[] = [];
  for (let at = 0; at < slots.length; at += COUNTED_SLOTS) {
    const some = slots.slice(at, at + COUNTED_SLOTS);
    const replies = await client.pipeline([
      ['MULTI'],
      ...some.map((slot) => ['CLUSTER', 'COUNTKEYSINSLOT', slot]),
      ['INFO', 'replication'],
      ['EXEC'],
    ]);
    const counts = replyItems(replies.at(-1));
    const refusal = replies.find((reply) => reply instanceof ReplyError);
    if (counts.length === 0) {
      throw new ToolError('NODE_FAILED', `Cannot count keys: ${refusal?.message ?? 'no answer'}`);
    }
    filled.push(...some.filter((_, i) => counts[i] !== 0));
    const offset = Number(replyFacts(counts.at(-1)).get('master_repl_offset'));
    empty.push({ slots: some.filter((_, i) => counts[i] === 0), offset });
  }
  return { filled, empty };
}

/** All keys of a slot. Throws ToolError and ClientError. */
export async function readSlot(client: RespClient, slot: number): Promise<KeysAtOffset> {
  let names = await namesIn(client, slot);
  for (let tries = 0; tries < READ_TRIES; tries++) {
    const read = await readAtOnce(client, names, [
      ...['CLUSTER', 'GETKEYSINSLOT'],
      ...[slot, names.length + 1],
    ]);
    if (read instanceof ReplyError)
      throw new ToolError('NODE_FAILED', `Cannot read a slot: ${read.message}`);
    if (areSame(replyItems(read.before), names)) return read;
    // A key came or went in between.
    names = await namesIn(client, slot);
  }
  throw new ToolError(
    'NOT_IN_TIME',
    `The keys of slot ${slot} changed ${READ_TRIES} times while they were read`,
  );
}

async function namesIn(client: RespClient, slot: number): Promise<Buffer[]> {
  const count = Number(await client.call('CLUSTER', 'COUNTKEYSINSLOT', slot));
  const reply = replyItems(await client.call('CLUSTER', 'GETKEYSINSLOT', slot, count + 1));
  return reply.filter((name) => Buffer.isBuffer(name));
}

function areSame(found: readonly Reply[], names: readonly Buffer[]): boolean {
  const known = new Set(names.map((name) => name.toString('latin1')));
  const isKnown = (name: Reply): boolean =>
    Buffer.isBuffer(name) && known.has(name.toString('latin1'));
  return found.length === names.length && found.every(isKnown);
}
