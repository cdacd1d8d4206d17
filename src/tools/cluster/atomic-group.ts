/**
 * Slots that two nodes hand over by themselves, by CLUSTER MIGRATESLOTS, as Valkey 9 has it: the source sends keys
 * and writes, and the target takes all slots at one moment. Nothing is open meanwhile; a move that fails leaves the slots
 * where they were. A run that was killed leaves a move that goes on without it, and the next run finds it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type RespClient, replyItems, replyText } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { callNode } from './connect.ts';
import { type ClusterNode, parseClusterNodes } from './topology.ts';
import { rangesOf, slotsOf } from './slot-ranges.ts';

export interface AtomicGroup {
  readonly source: RespClient;
  readonly targetId: string;
  /** Waits until so many more keys may be moved. */
  readonly throttle: (keys: number) => Promise<void>;
  readonly onKeys: (keys: number) => void;
}

interface Migration {
  readonly operation: string;
  readonly slots: ReadonlySet<number>;
  readonly state: string;
}

const POLL_MS = 20;
/** What a node cannot do at this moment, it mostly can a little later. */
const TRIES_MAX = 20;
const RETRY_MS = 500;
const ENDED: ReadonlySet<string> = new Set(['success', 'failed', 'cancelled']);

/** Whether a node moves slots by itself. */
export async function knowsAtomicMoves(client: RespClient): Promise<boolean> {
  const [facts] = replyItems(await callNode(client, 'COMMAND', 'INFO', 'cluster|migrateslots'));
  return replyItems(facts).length > 0;
}

/**
 * Moves `slots`; those that the source does not own any more count as moved. Answers those that the nodes would not hand
 * over, however often they were asked: a replica that is not in step, and the like. They can still be moved key by key.
 */
export async function moveAtomically(
  { source, targetId, throttle, onKeys }: AtomicGroup,
  slots: readonly number[],
): Promise<readonly number[]> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    await untilIdle(source, slots);
    const left = await owned(source, slots);
    if (left.length === 0) return [];
    const keys = await keysIn(source, left);
    await throttle(keys);
    const ranges = rangesOf(left).flat();
    const words = ['SLOTSRANGE', ...ranges, 'NODE', targetId];
    const [reply] = await source.pipeline([['CLUSTER', 'MIGRATESLOTS', ...words]]);
    if (!(reply instanceof ReplyError)) {
      await untilIdle(source, left);
      if ((await owned(source, left)).length === 0) {
        onKeys(keys);
        await untilDeleted(source, left);
        return [];
      }
    }
    await pause(RETRY_MS);
  }
  await untilIdle(source, slots);
  return owned(source, slots);
}

/**
 * Waits until the source has deleted its copies: it takes no slot back before. A source that became a replica with its
 * last slot holds the target's keys.
 */
async function untilDeleted(source: RespClient, slots: readonly number[]): Promise<void> {
  while ((await myself(source))?.role === 'master' && (await keysIn(source, slots)) > 0) {
    if ((await owned(source, slots)).length > 0) return;
    await pause(POLL_MS);
  }
}

async function keysIn(source: RespClient, slots: readonly number[]): Promise<number> {
  const counts = await source.pipeline(slots.map((slot) => ['CLUSTER', 'COUNTKEYSINSLOT', slot]));
  return counts.reduce<number>((sum, count) => sum + Number(count), 0);
}

/** Waits until no move of any of the slots is under way. */
async function untilIdle(source: RespClient, slots: readonly number[]): Promise<void> {
  for (;;) {
    const all = await migrations(source);
    const mine = all.filter(
      (each) => each.operation === 'EXPORT' && slots.some((slot) => each.slots.has(slot)),
    );
    if (mine.every(({ state }) => ENDED.has(state))) return;
    await pause(POLL_MS);
  }
}

async function migrations(source: RespClient): Promise<Migration[]> {
  const reply = replyItems(await callNode(source, 'CLUSTER', 'GETSLOTMIGRATIONS'));
  return reply.map((entry) => {
    const items = replyItems(entry).map(replyText);
    const field = (name: string): string => items[items.indexOf(name) + 1] ?? '';
    const ranges = field('slot_ranges')
      .split(' ')
      .map((range) => range.split('-').map(Number) as [number, number]);
    const slots = new Set(slotsOf(ranges));
    return {
      operation: field('operation'),
      slots,
      state: field('state'),
    };
  });
}

/** Those of the slots that the source says it owns; none when it has become a replica. */
async function owned(source: RespClient, slots: readonly number[]): Promise<number[]> {
  const mine = new Set(slotsOf((await myself(source))?.slots ?? []));
  return slots.filter((slot) => mine.has(slot));
}

async function myself(source: RespClient): Promise<ClusterNode | undefined> {
  const text = replyText(await callNode(source, 'CLUSTER', 'NODES'));
  return parseClusterNodes(text).find((node) => node.isMyself);
}
