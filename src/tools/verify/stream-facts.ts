/** What a stream has besides its entries, read by commands: its last id, groups, consumers and pending entries. */
import { type Argument, replyItems, replyText } from '../../client/index.ts';
import type { Reply } from '../../resp/index.ts';
import { LAST_ID, consumerPart, groupPart, pendingPart, pendingText } from './portrait.ts';

/** Sends a command about one key; the key goes behind the command's name, or its two words. */
export type Call = (command: string, ...args: readonly Argument[]) => Promise<Reply>;

const PAGE_ENTRIES = 1000;

/** Parts as a portrait has them, the entries left out. */
export async function streamFacts(call: Call): Promise<ReadonlyMap<string, string>> {
  const parts = new Map<string, string>();
  const stream = pairsOf(await call('XINFO STREAM'));
  parts.set(LAST_ID, stream.get('last-generated-id') ?? '');
  for (const item of replyItems(await call('XINFO GROUPS'))) {
    const group = pairsOf(item);
    const name = group.get('name') ?? '';
    parts.set(groupPart(name), group.get('last-delivered-id') ?? '');
    const bytes = Buffer.from(name, 'latin1');
    for (const consumer of replyItems(await call('XINFO CONSUMERS', bytes))) {
      parts.set(consumerPart(name, pairsOf(consumer).get('name') ?? ''), '');
    }
    await readPending(call, name, parts);
  }
  return parts;
}

async function readPending(call: Call, group: string, parts: Map<string, string>): Promise<void> {
  for (let from = '-'; ;) {
    const bytes = Buffer.from(group, 'latin1');
    const entries = replyItems(await call('XPENDING', bytes, from, '+', PAGE_ENTRIES));
    let last = '';
    for (const entry of entries) {
      const [id, consumer, , count] = replyItems(entry);
      last = replyText(id);
      parts.set(pendingPart(group, last), pendingText(textOf(consumer), replyText(count)));
    }
    if (entries.length < PAGE_ENTRIES) return;
    from = idAfter(last);
  }
}

const SEQUENCE_MAX = 2n ** 64n - 1n;

/** The id behind this one: ranges without their first entry are of Redis 6.2. */
export function idAfter(id: string): string {
  const [ms = 0n, sequence = 0n] = id.split('-').map(BigInt);
  return sequence === SEQUENCE_MAX ? `${ms + 1n}-0` : `${ms}-${sequence + 1n}`;
}

/** The name and value pairs of an XINFO reply. */
function pairsOf(reply: Reply): ReadonlyMap<string, string> {
  const items = replyItems(reply);
  const pairs = new Map<string, string>();
  for (let i = 0; i + 1 < items.length; i += 2) pairs.set(textOf(items[i]), textOf(items[i + 1]));
  return pairs;
}

function textOf(reply: Reply | undefined): string {
  return Buffer.isBuffer(reply) ? reply.toString('latin1') : replyText(reply);
}
