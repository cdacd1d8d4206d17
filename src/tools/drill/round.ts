/** One round of a drill: writers, the fault, who takes over, what the clients met, and everything well again. */
import { setTimeout as pause } from 'node:timers/promises';
import { ClientError, RespClient, replyFacts } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { waitUntil } from '../cluster/index.ts';
import { ToolError } from '../errors.ts';
import { type FaultOptions, makeFault } from './fault.ts';
import { Load, type LoadOptions, type ShardResult } from './load.ts';
import type { Member, Shard, Target } from './target.ts';
import { type MergedEvent, Timeline, mergedEvents } from './timeline.ts';

export interface RoundOptions {
  readonly fault: FaultOptions;
  readonly load: LoadOptions;
  /** Bound of each thing that is waited for, milliseconds. */
  readonly timeoutMs: number;
}

export interface RoundResult {
  readonly shard: string;
  readonly oldMaster: string;
  /** Undefined when nobody took over. */
  readonly newMaster: string | undefined;
  /** From the fault until the new master said that it is one, milliseconds. */
  readonly switchMs: number | undefined;
  readonly shards: readonly ShardResult[];
  readonly events: readonly MergedEvent[];
}

/** Writes before the fault: the writers have their connections, and the servers are warm. */
const BEFORE_MS = 500;
/** Writes after it. */
const AFTER_MS = 300;
/** Every writer has to be served by the new master, not by what was on its way. */
const SERVED_MARGIN_MS = 50;
const PROMOTION_POLL_MS = 4;
const SETTLE_POLL_MS = 100;
const REPLY_BOUND_MS = 1000;

/** Strikes `struck` and brings it back. Throws ToolError. */
export async function runRound(
  target: Target,
  struck: Shard,
  options: RoundOptions,
): Promise<RoundResult> {
  const shards = (await target.shards()).map((shard) =>
    shard.name === struck.name ? struck : shard,
  );
  const timeline = new Timeline(() => performance.now());
  const endWatch = await target.watch(timeline);
  const load = Load.start(target, shards, struck, options.load);
  try {
    await pause(BEFORE_MS);
    const fault = await makeFault(target, struck, options.fault);
    let promotion: Promotion | undefined;
    const zeroMs = timeline.begin();
    try {
      timeline.add('drill', 'fault', `${options.fault.kind} of ${struck.master.name}`);
      await fault.strike();
      promotion = await waitForPromotion(struck, zeroMs, options);
      if (promotion !== undefined)
        timeline.add('drill', 'role', `${promotion.member.name} is master`);
      const servedMs = performance.now() + SERVED_MARGIN_MS;
      await waitUntil(
        () => Promise.resolve(load.areServedAfter(servedMs, promotion?.member.name)),
        options.timeoutMs,
        () => `After ${options.timeoutMs} ms not every writer is served again`,
      );
      await pause(AFTER_MS);
      await load.stop();
    } finally {
      await fault.restore();
    }
    await waitUntilWell(target, missingOf(struck, options.fault), options.timeoutMs);
    endWatch();
    const data = await target.data();
    try {
      return {
        shard: struck.name,
        oldMaster: struck.master.name,
        newMaster: promotion?.member.name,
        switchMs: promotion === undefined ? undefined : promotion.atMs - zeroMs,
        shards: await load.results(data, zeroMs),
        events: mergedEvents(timeline.events),
      };
    } finally {
      data.close();
    }
  } finally {
    endWatch();
    await load.stop();
    await clean(target, load);
  }
}

/** Who stays away after the round: nobody waits for it. */
function missingOf({ master }: Shard, fault: FaultOptions): Member | undefined {
  return fault.kind === 'kill' && fault.restoreCommand === undefined ? master : undefined;
}

/** Waits until nothing is wrong any more. Throws ToolError `NOT_IN_TIME` that says what is. */
async function waitUntilWell(
  target: Target,
  missing: Member | undefined,
  timeoutMs: number,
): Promise<void> {
  let problem: string | undefined = 'nobody answers';
  await waitUntil(
    async () => {
      try {
        problem = await target.problem(missing);
      } catch (error) {
        if (!(error instanceof ToolError) && !(error instanceof ClientError)) throw error;
        problem = error.message;
      }
      return problem === undefined;
    },
    timeoutMs,
    () => `After ${timeoutMs} ms all is not well again: ${problem ?? ''}`,
    SETTLE_POLL_MS,
  );
}

interface Promotion {
  readonly member: Member;
  readonly atMs: number;
}

/** The first replica that says it is master. Undefined when a pause ended without one. Throws ToolError. */
async function waitForPromotion(
  { replicas }: Shard,
  zeroMs: number,
  { fault, timeoutMs }: RoundOptions,
): Promise<Promotion | undefined> {
  const boundMs = fault.kind === 'pause' ? fault.pauseMs : timeoutMs;
  let promotion: Promotion | undefined;
  const ask = async (member: Member): Promise<void> => {
    let client: RespClient | undefined;
    while (promotion === undefined && performance.now() < zeroMs + boundMs) {
      try {
        client ??= await RespClient.connect({ ...member.address, timeoutMs: REPLY_BOUND_MS });
        const facts = replyFacts(await client.call('INFO', 'replication'));
        if (facts.get('role') === 'master') promotion ??= { member, atMs: performance.now() };
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        client = undefined;
      }
      await pause(PROMOTION_POLL_MS);
    }
    client?.close();
  };
  await Promise.all(replicas.map((replica) => ask(replica)));
  if (promotion !== undefined || fault.kind === 'pause') return promotion;
  throw new ToolError('NOT_IN_TIME', `After ${boundMs} ms no replica has taken over`);
}

/** A key that cannot be taken away now expires. */
async function clean(target: Target, load: Load): Promise<void> {
  try {
    const data = await target.data();
    await load.clean(data).finally(() => data.close());
  } catch (error) {
    if (!(error instanceof ClientError) && !(error instanceof ReplyError)) throw error;
  }
}
