/**
 * A few slots on their way from one master to another, all open at once, so that opening and closing them costs a round
 * trip and a write of nodes.conf for all together. The order is what keeps clients safe: the target imports before the
 * source migrates, and the target owns before the source lets go. Every part can be repeated after a crash.
 */
import type { Argument, RespClient } from '../../client/index.ts';
import { replyItems } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { ToolError } from '../errors.ts';
import { type BatchPace, batchLength } from './batch-pace.ts';
import { callAll } from './connect.ts';
import { type Route, migrateKeys } from './migrate.ts';
import type { ClusterNode } from './topology.ts';

export interface GroupContext extends Route {
  readonly from: ClusterNode;
  readonly to: ClusterNode;
  /** Masters that are neither: told at the end, so that they send clients to the right place at once. */
  readonly bystanders: readonly RespClient[];
  readonly pace: BatchPace;
  /** Waits until so many more keys may be moved. */
  readonly throttle: (keys: number) => Promise<void>;
  readonly onKeys: (keys: number) => void;
}

/** Keys of one slot that are asked for at once. */
const KEYS_ASKED = 1000;
/** Keys of a slot that are measured to learn whether its values are large. */
const SAMPLE_KEYS = 2;
/** From this on all keys of a slot are measured and batches are cut by bytes. */
const LARGE_BYTES = 4096;
const BATCH_BYTES_MAX = 1 << 20;
/** A slot that the source keeps refusing to let go is somebody else's business. */
const CLOSE_TRIES_MAX = 3;

/** Moves `slots` with their keys. `isOwnedByTarget` says which ones an earlier run had moved already. */
export async function moveGroup(
  context: GroupContext,
  slots: readonly number[],
  isOwnedByTarget: (slot: number) => boolean,
): Promise<void> {
  const { source, target, from, to } = context;
  const closed = slots.filter((slot) => !isOwnedByTarget(slot));
  await callAll(
    target,
    closed.map((slot) => setSlot(slot, 'IMPORTING', from.id)),
  );
  await callAll(
    source,
    closed.map((slot) => setSlot(slot, 'MIGRATING', to.id)),
  );
  let left = slots;
  for (let tries = 0; left.length > 0; tries++) {
    await moveKeys(context, left);
    left = await close(context, left);
    if (left.length > 0 && tries >= CLOSE_TRIES_MAX) {
      throw new ToolError(
        'NODE_FAILED',
        `Node ${source.name} still has keys of slot ${left[0]} after all were moved: something keeps writing them there`,
      );
    }
  }
  // Who does not take it hears of it by gossip, and the end of the run waits for everybody's agreement.
  const news = slots.map((slot) => setSlot(slot, 'NODE', to.id));
  await Promise.allSettled(context.bystanders.map((client) => client.pipeline(news)));
}

/** Gives the slots to the target, then takes them from the source; answers those of which keys are still there. */
async function close(context: GroupContext, slots: readonly number[]): Promise<number[]> {
  const { source, target, to } = context;
  const commands = slots.map((slot) => setSlot(slot, 'NODE', to.id));
  await callAll(target, commands);
  const replies = await source.pipeline(commands);
  const left: number[] = [];
  for (const [index, reply] of replies.entries()) {
    if (!(reply instanceof ReplyError)) continue;
    if (/still hold keys/.test(reply.message)) {
      left.push(slots[index] ?? 0);
      continue;
    }
    // A master without slots may have become a replica of the one that took its last, and then has nothing to let go.
    if (/only with masters/i.test(reply.message)) continue;
    throw new ToolError('NODE_FAILED', `Node ${source.name} answered: ${reply.message}`, reply);
  }
  return left;
}

async function moveKeys(context: GroupContext, slots: readonly number[]): Promise<void> {
  let left = slots;
  while (left.length > 0) {
    const replies = await callAll(
      context.source,
      left.map((slot) => ['CLUSTER', 'GETKEYSINSLOT', slot, KEYS_ASKED]),
    );
    const found = replies.map((reply) => replyItems(reply).filter((key) => Buffer.isBuffer(key)));
    const areLarge = await findLarge(context.source, found);
    const more: number[] = [];
    for (const [index, keys] of found.entries()) {
      if (keys.length === KEYS_ASKED) more.push(left[index] ?? 0);
      const sizes = areLarge[index] === true ? await sizesOf(context.source, keys) : [];
      await moveBatches(context, keys, sizes);
    }
    left = more;
  }
}

/** `sizes` of the keys in bytes; empty when they are known to be small. */
async function moveBatches(
  context: GroupContext,
  keys: readonly Buffer[],
  sizes: readonly number[],
): Promise<void> {
  for (let at = 0; at < keys.length;) {
    const { keys: most } = context.pace;
    const count =
      sizes.length === 0
        ? Math.min(most, keys.length - at)
        : batchLength(sizes.slice(at, at + most + 1), most, BATCH_BYTES_MAX);
    await context.throttle(count);
    const startedMs = performance.now();
    await migrateKeys(context, keys.slice(at, at + count));
    context.pace.note(count, performance.now() - startedMs);
    context.onKeys(count);
    at += count;
  }
}

/** Whether the values of each slot seem to be large, by a few of them. */
async function findLarge(
  client: RespClient,
  slots: readonly (readonly Buffer[])[],
): Promise<boolean[]> {
  const samples = slots.map((keys) => keys.slice(0, SAMPLE_KEYS));
  const sizes = await sizesOf(client, samples.flat());
  let at = 0;
  return samples.map((keys) => {
    const own = sizes.slice(at, at + keys.length);
    at += keys.length;
    return own.some((size) => size >= LARGE_BYTES);
  });
}

/** Bytes of each key; 0 of one that is gone. */
async function sizesOf(client: RespClient, keys: readonly Buffer[]): Promise<number[]> {
  const replies = await callAll(
    client,
    keys.map((key) => ['MEMORY', 'USAGE', key]),
  );
  return replies.map((reply) => (typeof reply === 'number' ? reply : 0));
}

function setSlot(slot: number, ...words: readonly string[]): Argument[] {
  return ['CLUSTER', 'SETSLOT', slot, ...words];
}
