/** Moves many slots between many masters at once, from every source to all its targets. */
import { type NodeAddress, type RespClient, replyFacts, replyText } from '../../client/index.ts';
import { ToolError } from '../errors.ts';
import { Pace } from '../flow/index.ts';
import { knowsAtomicMoves, moveAtomically } from './atomic-group.ts';
import { BatchPace, batchLength } from './batch-pace.ts';
import { bigKeysIn } from './big-keys.ts';
import { callAll, callNode, connectNode, withCredentials } from './connect.ts';
import { waitForState } from './create-run.ts';
import { movesNow } from './heirs.ts';
import { type ClusterReport, type NodeReport, reportOf } from './inspect.ts';
import { type MoveEnds, roundsOf } from './move-rounds.ts';
import type { MoveProgress } from './move-progress.ts';
import type { SlotMove } from './plan.ts';
import { moveGroup } from './slot-group.ts';
import { slotsOf } from './slot-ranges.ts';
import type { Stopping } from './stopping.ts';
import { type ClusterNode, parseClusterNodes } from './topology.ts';

export interface MoveOptions {
  /** Bound of one MIGRATE, milliseconds. */
  readonly migrateTimeoutMs: number;
  /** Keys of one MIGRATE at most. */
  readonly batchKeysMax: number;
  /** The source's value wins where both nodes have one. */
  readonly isReplacing: boolean;
  /** Keys a second of the whole run; undefined: as fast as it goes. */
  readonly keysPerSecond: number | undefined;
  /** Our nodes, and those of Valkey 9, hand slots over as a whole; else every key is moved by MIGRATE. */
  readonly isAtomic: boolean;
  /** Slots with a key above so many bytes stay where they are; undefined: all move. */
  readonly keyBytesMax: number | undefined;
}

export const MOVE_DEFAULTS: MoveOptions = {
  migrateTimeoutMs: 60_000,
  batchKeysMax: 1000,
  isReplacing: false,
  keysPerSecond: undefined,
  isAtomic: true,
  keyBytesMax: undefined,
};

export interface MoveContext {
  readonly report: ClusterReport;
  readonly options: MoveOptions;
  readonly progress: MoveProgress;
  readonly stopping: Stopping;
  readonly timeoutMs: number;
}

/** Slots of a group: to open and to close them costs something for each group. */
const GROUP_SLOTS_MAX = 128;
/** Keys of a group: a stop waits for its end, and so do clients that are sent to and fro while a slot is open. */
const GROUP_KEYS_MAX = 4096;
/** The same of slots that are handed over as a whole: nothing is open meanwhile, and each handover costs moments. */
const ATOMIC_SLOTS_MAX = 2048;
const ATOMIC_KEYS_MAX = 500_000;
/** What INFO says of nodes that hand slots over as a whole to others of their kind. */
const ATOMIC_KINDS = ['slotline_version', 'valkey_version'];
/** While one worker's MIGRATEs run, the other lists keys, opens and closes slots. More only wait for each other. */
const WORKERS_PER_SOURCE = 2;
/** What a reply may take beyond the time that MIGRATE itself is given. */
const REPLY_MARGIN_MS = 5000;

/** What both ends of a move say of themselves. */
interface Ends {
  readonly from: NodeReport;
  readonly to: NodeReport;
  readonly ownedByTarget: ReadonlySet<number>;
  readonly isTakingAtOnce: boolean;
  /** Both hand slots over by themselves, and none of these is open. */
  readonly isAtomic: boolean;
}

interface Job {
  readonly ends: Ends;
  readonly slots: readonly number[];
}

/**
 * Carries out all `moves`. Slots that the target owns already count as done. Throws ToolError; slots in flight are then
 * open, and the same call goes on with them.
 */
export async function moveSlots(moves: readonly SlotMove[], context: MoveContext): Promise<void> {
  const jobs = await prepare(moves, context);
  const rate = new Pace(context.options.keysPerSecond ?? 0);
  const throttle = (keys: number): Promise<void> => rate.take(keys);
  const endsOfJob = ({ ends }: Job): MoveEnds => ({ from: ends.from.node.id, to: ends.to.node.id });
  for (const round of roundsOf(jobs, endsOfJob)) await moveRound(round, throttle, context);
}

/** Moves from all sources side by side. */
async function moveRound(
  jobs: readonly Job[],
  throttle: (keys: number) => Promise<void>,
  context: MoveContext,
): Promise<void> {
  const bySource = new Map<string, Job[]>();
  for (const job of jobs) {
    const { id } = job.ends.from.node;
    bySource.set(id, [...(bySource.get(id) ?? []), job]);
  }
  const sources = [...bySource.values()].map((queue) => moveQueue(queue, throttle, context));
  const ended = await Promise.allSettled(sources);
  const failed = ended.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw goOnLater(failed.reason);
  context.stopping.throwIfRequested();
}

/** Says of a node that was lost what to do next; its slots in flight stay open until then. */
function goOnLater(reason: unknown): unknown {
  if (!(reason instanceof ToolError) || !/^Cannot (?:talk|connect) to /.test(reason.message)) {
    return reason;
  }
  return new ToolError(
    reason.code,
    `${reason.message}; once it or its replica serves again, the same command goes on from here`,
    reason,
  );
}

/**
 * The ends of every move as it is now. A Valkey that takes slots as a whole refuses SETSLOT meanwhile, so that with such
 * ends all moves are of that kind or none.
 */
async function allEnds(
  moves: readonly SlotMove[],
  context: MoveContext,
): Promise<(Pick<SlotMove, 'slots'> & { readonly ends: Ends })[]> {
  const all = [];
  for (const move of movesNow(moves, context.report)) {
    all.push({ slots: move.slots, ends: await endsOf(move, context) });
  }
  if (all.every(({ ends }) => ends.isAtomic)) return all;
  return all.map(({ slots, ends }) => ({
    slots,
    ends: { ...ends, isAtomic: ends.isAtomic && ends.isTakingAtOnce },
  }));
}

/** Checks both ends of every move and counts the work. */
async function prepare(moves: readonly SlotMove[], context: MoveContext): Promise<Job[]> {
  const jobs: Job[] = [];
  for (const { slots: ranges, ends } of await allEnds(moves, context)) {
    const slots = slotsOf(ranges);
    const counts = await callAll(
      clientOf(ends.from),
      slots.map((slot) => ['CLUSTER', 'COUNTKEYSINSLOT', slot]),
    );
    const keys = counts.map(Number);
    context.progress.expect(
      slots.length,
      keys.reduce((sum, count) => sum + count, 0),
    );
    // With a bound on the rate no more than a second's worth.
    const groupKeys = ends.isAtomic ? ATOMIC_KEYS_MAX : GROUP_KEYS_MAX;
    const slotsMax = ends.isAtomic ? ATOMIC_SLOTS_MAX : GROUP_SLOTS_MAX;
    const keysMax = Math.min(groupKeys, context.options.keysPerSecond ?? groupKeys);
    for (let at = 0; at < slots.length;) {
      const length = batchLength(keys.slice(at, at + slotsMax), slotsMax, keysMax);
      jobs.push({ ends, slots: slots.slice(at, at + length) });
      at += length;
    }
  }
  return jobs;
}

async function endsOf(move: SlotMove, { report, options, timeoutMs }: MoveContext): Promise<Ends> {
  const from = reachable(report, move.from);
  const to = reachable(report, move.to);
  await endStaleImports(move, to);
  // A node that has just joined refuses keys until it has heard of every slot.
  await waitForState(clientOf(to), timeoutMs);
  const [owned, target] = await Promise.all([ownSlots(from), ownSlots(to)]);
  const stray = slotsOf(move.slots).find((slot) => !owned.has(slot) && !target.has(slot));
  if (stray !== undefined) {
    throw new ToolError(
      'NODES_REFUSED',
      `Cannot move slot ${stray}: ${from.name} does not own it any more, plan again`,
    );
  }
  // Valkey tells the replicas of every change before it makes it, which nobody has tried within a transaction.
  const [fromFacts, toFacts] = await Promise.all([serverFacts(from), serverFacts(to)]);
  // Ours and those of Valkey 9 have the same commands for it, but do not understand each other.
  const areAlike = ATOMIC_KINDS.some((kind) => fromFacts.has(kind) && toFacts.has(kind));
  const isAtomic =
    options.isAtomic && areAlike && !isOpen(move, [from, to]) && (await areAtomic([from, to]));
  return {
    from,
    to,
    ownedByTarget: target,
    isTakingAtOnce: !toFacts.has('valkey_version'),
    isAtomic,
  };
}

/** Whether some slot of the move is half way by SETSLOT already: it goes on so. */
function isOpen({ slots }: SlotMove, ends: readonly NodeReport[]): boolean {
  const wanted = new Set(slotsOf(slots));
  return ends.some(({ own }) =>
    own?.view.find(({ isMyself }) => isMyself)?.open.some(({ slot }) => wanted.has(slot)),
  );
}

/** An older version may not know the commands. */
async function areAtomic(ends: readonly NodeReport[]): Promise<boolean> {
  const known = await Promise.all(ends.map((end) => knowsAtomicMoves(clientOf(end))));
  return known.every(Boolean);
}

async function serverFacts(node: NodeReport): Promise<ReadonlyMap<string, string>> {
  return replyFacts(await callNode(clientOf(node), 'INFO', 'server'));
}

/**
 * A node goes on importing a slot from whom it was told, also when another has taken over from that, and is in state fail
 * for the loss of it. Told to stop it hears of the new owner.
 */
async function endStaleImports({ from, slots }: SlotMove, to: NodeReport): Promise<void> {
  const wanted = new Set(slotsOf(slots));
  const myself = to.own?.view.find(({ isMyself }) => isMyself);
  const stale = (myself?.open ?? []).filter(
    ({ slot, direction, peerId }) =>
      direction === 'importing' && peerId !== from && wanted.has(slot),
  );
  await callAll(
    clientOf(to),
    stale.map(({ slot }) => ['CLUSTER', 'SETSLOT', slot, 'STABLE']),
  );
}

/** Carries out the jobs of one source, over one connection to it: MIGRATEs come one after the other anyway. */
async function moveQueue(
  queue: Job[],
  throttle: (keys: number) => Promise<void>,
  context: MoveContext,
): Promise<void> {
  const connections = new Connections(context);
  const pace = new BatchPace(context.options.batchKeysMax);
  try {
    const worker = (): Promise<void> => work({ queue, connections, pace, throttle, context });
    const ended = await Promise.allSettled(Array.from({ length: WORKERS_PER_SOURCE }, worker));
    const failed = ended.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  } finally {
    await connections.close();
  }
}

/** One connection to each node. */
class Connections {
  readonly #context: MoveContext;
  readonly #clients = new Map<string, Promise<RespClient>>();

  constructor(context: MoveContext) {
    this.#context = context;
  }

  to({ node }: NodeReport): Promise<RespClient> {
    const known = this.#clients.get(node.id);
    if (known !== undefined) return known;
    const { report, options } = this.#context;
    const address = withCredentials(node, report.address);
    const fresh = connectNode(address, options.migrateTimeoutMs + REPLY_MARGIN_MS);
    this.#clients.set(node.id, fresh);
    return fresh;
  }

  async close(): Promise<void> {
    for (const ended of await Promise.allSettled(this.#clients.values())) {
      if (ended.status === 'fulfilled') ended.value.close();
    }
  }
}

interface WorkerParts {
  readonly queue: Job[];
  readonly connections: Connections;
  readonly pace: BatchPace;
  readonly throttle: (keys: number) => Promise<void>;
  readonly context: MoveContext;
}

async function work(parts: WorkerParts): Promise<void> {
  const { queue, connections, pace, throttle, context } = parts;
  try {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      await context.stopping.untilGoingOn();
      if (context.stopping.isRequested) return;
      const { ends } = job;
      const source = await connections.to(ends.from);
      const slots = await movable(job, source, context);
      const onKeys = (keys: number): void => context.progress.keysMoved(keys);
      const targetId = ends.to.node.id;
      const left = ends.isAtomic
        ? await moveAtomically({ source, targetId, throttle, onKeys }, slots)
        : slots;
      context.progress.slotsMoved(slots.length - left.length);
      if (left.length === 0) continue;
      await moveGroup(
        {
          source,
          target: await connections.to(ends.to),
          targetAddress: addressFor(ends, context.report.address),
          timeoutMs: context.options.migrateTimeoutMs,
          isReplacing: context.options.isReplacing,
          from: ends.from.node,
          to: ends.to.node,
          bystanders: bystandersOf(context.report, ends),
          isTakingAtOnce: ends.isTakingAtOnce,
          pace,
          throttle,
          onKeys,
        },
        left,
        (slot) => ends.ownedByTarget.has(slot),
      );
      context.progress.slotsMoved(left.length);
    }
  } catch (error) {
    context.stopping.request('a failure');
    throw error;
  }
}

/** The slots of a job without those that have a key too large. */
async function movable(
  { ends, slots }: Job,
  source: RespClient,
  { options, progress }: MoveContext,
): Promise<readonly number[]> {
  if (options.keyBytesMax === undefined) return slots;
  const asked = slots.filter((slot) => !ends.ownedByTarget.has(slot));
  const big = await bigKeysIn(source, asked, options.keyBytesMax);
  progress.leftBehind(big);
  return slots.filter((slot) => !big.some((each) => each.slot === slot));
}

function bystandersOf(report: ClusterReport, { from, to }: Ends): RespClient[] {
  return report.nodes
    .filter(({ node }) => node.role === 'master' && node !== from.node && node !== to.node)
    .map(({ own }) => own?.client)
    .filter((client) => client !== undefined);
}

/** The target under the address by which the source knows it: the user's may be good from here only. */
function addressFor({ from, to }: Ends, like: NodeAddress): NodeAddress {
  const known = from.own?.view.find(({ id }) => id === to.node.id);
  return withCredentials(known === undefined || known.host === '' ? to.node : known, like);
}

/** The report of a node that answers. Throws ToolError. */
export function reachable(report: ClusterReport, id: string): NodeReport {
  const found = reportOf(report, id);
  if (found === undefined) {
    throw new ToolError('NODES_REFUSED', `Cannot go on: no node ${id} in this cluster any more`);
  }
  if (found.own === undefined) {
    throw new ToolError(
      'NODE_FAILED',
      `Cannot go on: ${found.name} cannot be reached: ${found.failure ?? ''}`,
    );
  }
  return found;
}

/** The connection to a node that `reachable` answered. */
export function clientOf({ own, name }: NodeReport): RespClient {
  if (own === undefined)
    throw new ToolError('NODE_FAILED', `Cannot go on: ${name} does not answer`);
  return own.client;
}

/** Slots that a node says now that it owns. */
async function ownSlots(report: NodeReport): Promise<ReadonlySet<number>> {
  const text = replyText(await callNode(clientOf(report), 'CLUSTER', 'NODES'));
  const myself: ClusterNode | undefined = parseClusterNodes(text).find((node) => node.isMyself);
  return new Set(slotsOf(myself?.slots ?? []));
}
