/**
 * A few slots on their way from one master to another, all open at once, so that opening and closing them costs a round
 * trip and a write of nodes.conf for all together. The order is what keeps clients safe: the target imports before the
 * source migrates, and the target owns before the source lets go. Every part can be repeated after a crash.
 */
import { type Argument, ClientError, type RespClient, replyFacts } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { ToolError, asToolError } from '../errors.ts';
import type { KeyBatch } from '../flow/index.ts';
import { type BatchPace, batchLength } from './batch-pace.ts';
import { callAll, callNode, connectNode, withCredentials } from './connect.ts';
import { type KeyRun, type Route, migrateRuns } from './migrate.ts';
import { keysInSlots, sizesOf } from './slot-keys.ts';
import type { ClusterNode } from './topology.ts';

export interface GroupContext extends Route {
  readonly from: ClusterNode;
  readonly to: ClusterNode;
  /** Masters that are neither: told at the end, so that they send clients to the right place at once. */
  readonly bystanders: readonly RespClient[];
  /** The target may be given many slots in one transaction. */
  readonly isTakingAtOnce: boolean;
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
  // What is imported comes last: see takeAtOnce.
  let left: readonly number[] = [...slots.filter(isOwnedByTarget), ...closed];
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
  await (context.isTakingAtOnce ? takeAtOnce(context, slots) : callAll(target, commands));
  const replies = await letGo(context, commands);
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

/** What the source answers to the commands by which it gives slots away; nothing when it is no master any more. */
async function letGo(
  { source, from, targetAddress }: GroupContext,
  commands: readonly Argument[][],
): Promise<Reply[]> {
  try {
    return await source.pipeline(commands);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    // Valkey 8 becomes a replica with its last slot, and then ends the connections that wait for replicas of its own.
    const client = await connectNode(withCredentials(from, targetAddress));
    const facts = replyFacts(
      await callNode(client, 'INFO', 'replication').finally(() => client.close()),
    );
    if (facts.get('role') === 'slave') return [];
    throw asToolError(error, source.name);
  }
}

/**
 * The target tells every node of each slot that it imported when it takes it, in a packet that costs each of them a walk
 * through all slots. Here it takes all but the last as slots that it does not import, in one transaction, so that nobody
 * is answered in between, and the news of the last, with a new epoch, speaks for all.
 */
async function takeAtOnce({ target, to }: GroupContext, slots: readonly number[]): Promise<void> {
  const quiet = slots.slice(0, -1);
  const commands = [
    ['MULTI'],
    ...quiet.flatMap((slot) => [setSlot(slot, 'STABLE'), setSlot(slot, 'NODE', to.id)]),
    ...slots.slice(-1).map((slot) => setSlot(slot, 'NODE', to.id)),
    ['EXEC'],
  ];
  const done = (await callAll(target, commands)).at(-1);
  const refusal = Array.isArray(done) ? done.find((each) => each instanceof ReplyError) : undefined;
  if (refusal !== undefined) throw asToolError(refusal, target.name);
}

async function moveKeys(context: GroupContext, slots: readonly number[]): Promise<void> {
  let left = slots;
  while (left.length > 0) {
    const found = await keysInSlots(context.source, left, KEYS_ASKED);
    const samples = await sizesOf(context.source, found, SAMPLE_KEYS);
    const areLarge = samples.map((sizes) => sizes.some((size) => size >= LARGE_BYTES));
    await moveSmall(
      context,
      found.filter((_, index) => areLarge[index] === false),
    );
    for (const [index, batch] of found.entries()) {
      if (areLarge[index] === true) await moveLarge(context, batch);
    }
    left = left.filter((_, index) => found[index]?.at.length === KEYS_ASKED);
  }
}

/** Keys of several slots in one write, as many as the pace allows. */
async function moveSmall(context: GroupContext, batches: readonly KeyBatch[]): Promise<void> {
  let runs: KeyRun[] = [];
  let room = context.pace.keys;
  for (const batch of batches) {
    for (let from = 0; from < batch.at.length;) {
      const to = Math.min(from + room, batch.at.length);
      runs.push({ batch, from, to });
      room -= to - from;
      from = to;
      if (room > 0) continue;
      await moveRuns(context, runs);
      runs = [];
      room = context.pace.keys;
    }
  }
  if (runs.length > 0) await moveRuns(context, runs);
}

/** Keys of one slot, of which each is measured. */
async function moveLarge(context: GroupContext, batch: KeyBatch): Promise<void> {
  const [sizes = []] = await sizesOf(context.source, [batch], batch.at.length);
  for (let from = 0; from < sizes.length;) {
    const most = context.pace.keys;
    const to = from + batchLength(sizes.slice(from, from + most + 1), most, BATCH_BYTES_MAX);
    await moveRuns(context, [{ batch, from, to }]);
    from = to;
  }
}

async function moveRuns(context: GroupContext, runs: readonly KeyRun[]): Promise<void> {
  const count = runs.reduce((sum, { from, to }) => sum + to - from, 0);
  await context.throttle(count);
  const sentMs = performance.now();
  await migrateRuns(context, runs);
  context.pace.note(count, { sentMs, endedMs: performance.now() });
  context.onKeys(count);
}

function setSlot(slot: number, ...words: readonly string[]): Argument[] {
  return ['CLUSTER', 'SETSLOT', slot, ...words];
}
