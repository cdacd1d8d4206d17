/** `slotline cluster failover`: asks a replica to take over, waits until it has, and says how long that took. */
import { type NodeAddress, replyFacts, replyText } from '../../client/index.ts';
import { type ExitStatus, ToolError } from '../errors.ts';
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
    if (replica.own === undefined) {
      throw new ToolError('NODE_FAILED', `Cannot fail over: ${replica.failure ?? 'no answer'}`);
    }
    const before = replica.own.currentEpoch;
    const startedMs = performance.now();
    await takeOver(replica.own, replica.name, options);
    const durationMs = performance.now() - startedMs;
    await waitUntilKnown(report, replica, options.timeoutMs);
    const agreedMs = performance.now() - startedMs;
    const isCopied = await waitUntilCopied({
      replica,
      master,
      timeoutMs: options.timeoutMs,
      screen,
    });
    const copiedMs = isCopied ? Math.round(performance.now() - startedMs) : undefined;
    const info = replyFacts(await callNode(replica.own.client, 'CLUSTER', 'INFO'));
    const epoch = Number(info.get('cluster_my_epoch') ?? 0);
    screen.json({
      ok: true,
      mode: options.mode,
      newMaster: { id: replica.node.id, address: replica.name },
      oldMaster: { id: master.node.id, address: master.name },
      durationMs: Math.round(durationMs),
      agreedMs: Math.round(agreedMs),
      copiedMs,
      epochBefore: before,
      epoch,
    });
    screen.out(
      `${screen.paint('green', 'OK')} ${replica.name} is master in place of ${master.name}: took over in ${Math.round(durationMs)} ms, all nodes know after ${Math.round(agreedMs)} ms, epoch ${epoch}`,
    );
    if (copiedMs !== undefined) screen.out(`   ${master.name} copies it after ${copiedMs} ms`);
    return 0;
  } finally {
    closeReport(report);
  }
}

async function takeOver(
  { client }: OwnReport,
  name: string,
  { mode, timeoutMs }: FailoverOptions,
): Promise<void> {
  const words = mode === 'coordinated' ? [] : [mode.toUpperCase()];
  await callNode(client, 'CLUSTER', 'FAILOVER', ...words);
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
