/** `slotline cluster failover`: asks a replica to take over, waits until it has, and says how long that took. */
import { type NodeAddress, replyFacts, replyText } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { callNode, waitUntil } from './connect.ts';
import { type FailoverMode, planFailover } from './failover-plan.ts';
import {
  type ClusterReport,
  type NodeReport,
  type OwnReport,
  closeReport,
  inspectCluster,
} from './inspect.ts';
import { type ClusterNode, parseClusterNodes } from './topology.ts';

export interface FailoverOptions {
  /** The replica that takes over, or the master whose best replica does. */
  readonly node: NodeAddress;
  readonly mode: FailoverMode;
  /** Bound for taking over, and for everyone to know of it, each; milliseconds. */
  readonly timeoutMs: number;
}

/** A manual failover gives up after 5 s by itself. Source: Redis Cluster specification, "Manual failover". */
export const FAILOVER_TIMEOUT_MS = 10_000;
const POLL_MS = 4;

/** What a failover did and how long it took, counted from the command to the replica. */
export interface FailoverResult {
  readonly mode: FailoverMode;
  readonly newMaster: { readonly id: string; readonly address: string };
  readonly oldMaster: { readonly id: string; readonly address: string };
  /** Until the replica was master: no longer than this did the shard take no writes. */
  readonly durationMs: number;
  /** Until every node knew. */
  readonly agreedMs: number;
  /** Until the old master had the new one's data; undefined when it has not come to that. */
  readonly copiedMs: number | undefined;
  readonly epochBefore: number;
  readonly epoch: number;
  /** How much of the old master's stream of writes the new one has, bytes: all of it after a coordinated one. */
  readonly offset: number;
}

/** Status 0 when the replica is master and every node that answers knows it. Throws ToolError. */
export async function failover(options: FailoverOptions, screen: Screen): Promise<ExitStatus> {
  const report = await inspectCluster([options.node]);
  try {
    const plan = planFailover(report, options.mode);
    if (plan.kind === 'refused') {
      throw new ToolError('NODES_REFUSED', `Cannot fail over: ${plan.reason}`);
    }
    const { replica, master, isChosen } = plan;
    if (isChosen) screen.note(`${replica.name} is the most up-to-date replica of ${master.name}`);
    const result = await carryOutFailover({ report, replica, master }, options, screen);
    screen.json({ ok: true, ...result });
    for (const line of failoverLines(result, screen)) screen.out(line);
    return 0;
  } finally {
    closeReport(report);
  }
}

/** A result as lines. */
export function failoverLines(result: FailoverResult, screen: Screen): string[] {
  const { newMaster, oldMaster, durationMs, agreedMs, copiedMs, epoch } = result;
  const took = `took over in ${durationMs} ms, all nodes know after ${agreedMs} ms, epoch ${epoch}`;
  const lines = [
    `${screen.paint('green', 'OK')} ${newMaster.address} is master in place of ${oldMaster.address}: ${took}`,
  ];
  if (copiedMs !== undefined) lines.push(`   ${oldMaster.address} copies it after ${copiedMs} ms`);
  return lines;
}

export interface FailoverPair {
  readonly report: ClusterReport;
  readonly replica: NodeReport;
  readonly master: NodeReport;
}

/** Lets the replica take over and waits until all know. Throws ToolError. */
export async function carryOutFailover(
  { report, replica, master }: FailoverPair,
  options: Pick<FailoverOptions, 'mode' | 'timeoutMs'>,
  screen: Screen,
): Promise<FailoverResult> {
  if (replica.own === undefined) {
    throw new ToolError('NODE_FAILED', `Cannot fail over: ${replica.failure ?? 'no answer'}`);
  }
  const { timeoutMs } = options;
  const startedMs = performance.now();
  await takeOver(replica.own, replica.name, options);
  const durationMs = performance.now() - startedMs;
  const replication = replyFacts(await callNode(replica.own.client, 'INFO', 'replication'));
  await waitUntilKnown(report, replica, timeoutMs);
  const agreedMs = performance.now() - startedMs;
  const isCopied = await waitUntilCopied({ replica, master, timeoutMs, screen });
  const copiedMs = isCopied ? Math.round(performance.now() - startedMs) : undefined;
  const info = replyFacts(await callNode(replica.own.client, 'CLUSTER', 'INFO'));
  return {
    mode: options.mode,
    newMaster: { id: replica.node.id, address: replica.name },
    oldMaster: { id: master.node.id, address: master.name },
    durationMs: Math.round(durationMs),
    agreedMs: Math.round(agreedMs),
    copiedMs,
    epochBefore: replica.own.currentEpoch,
    epoch: Number(info.get('cluster_my_epoch') ?? 0),
    offset: Number(replication.get('second_repl_offset') ?? 0) - 1,
  };
}

async function takeOver(
  { client }: OwnReport,
  name: string,
  { mode, timeoutMs }: Pick<FailoverOptions, 'mode' | 'timeoutMs'>,
): Promise<void> {
  const words = mode === 'coordinated' ? [] : [mode.toUpperCase()];
  try {
    await client.call('CLUSTER', 'FAILOVER', ...words);
  } catch (error) {
    // The others may have elected it a moment ago, which is as good.
    const isMaster = error instanceof ReplyError && /to a replica/.test(error.message);
    if (!isMaster) throw asToolError(error, name);
  }
  await waitUntil(
    async () => {
      const view = parseClusterNodes(replyText(await callNode(client, 'CLUSTER', 'NODES')));
      const myself = view.find(({ isMyself }) => isMyself);
      return myself?.role === 'master' && myself.slots.length > 0;
    },
    timeoutMs,
    () => `${name} is still a replica after ${timeoutMs} ms: ${ADVICE[mode]}`,
    POLL_MS,
  );
}

const ADVICE: Readonly<Record<FailoverMode, string>> = {
  coordinated: 'its log says why; with a master that does not answer use --force',
  force:
    'most masters have to vote for it and its data must be recent, its log says why; --takeover asks nobody',
  takeover: 'its log says why',
};

/** Waits until every node that answered before names the new master as the owner of slots. */
async function waitUntilKnown(
  report: ClusterReport,
  { node, name }: NodeReport,
  timeoutMs: number,
): Promise<void> {
  const asked = report.nodes.filter(({ own }) => own !== undefined);
  await Promise.all(
    asked.map(({ own, name: other }) =>
      waitUntil(
        async () => {
          if (own === undefined) return true;
          const text = replyText(await callNode(own.client, 'CLUSTER', 'NODES'));
          return isOwner(parseClusterNodes(text), node.id);
        },
        timeoutMs,
        () =>
          `${name} took over, but ${other} does not know it after ${timeoutMs} ms: run "slotline cluster check"`,
      ),
    ),
  );
}

interface CopyWait {
  readonly replica: NodeReport;
  readonly master: NodeReport;
  readonly timeoutMs: number;
  readonly screen: Screen;
}

/**
 * Waits until the old master has the new one's data and the new one counts it among its replicas: until then another
 * failover would find nobody. Answers false, with a remark, when that does not come; the failover itself is done.
 */
async function waitUntilCopied(wait: CopyWait): Promise<boolean> {
  const [taker, old] = [wait.replica.own, wait.master.own];
  const oldId = wait.master.node.id;
  if (taker === undefined || old === undefined) return false;
  try {
    await waitUntil(
      async () => {
        const info = replyFacts(await callNode(old.client, 'INFO', 'replication'));
        const view = parseClusterNodes(replyText(await callNode(taker.client, 'CLUSTER', 'NODES')));
        const isKnown = view.find(({ id }) => id === oldId)?.masterId === wait.replica.node.id;
        return isKnown && info.get('master_link_status') === 'up';
      },
      wait.timeoutMs,
      () => `${wait.master.name} does not copy it after ${wait.timeoutMs} ms: see its log`,
    );
    return true;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    wait.screen.note(`Warning: ${error.message}`);
    return false;
  }
}

function isOwner(view: readonly ClusterNode[], id: string): boolean {
  const node = view.find((each) => each.id === id);
  return node?.role === 'master' && node.slots.length > 0;
}
