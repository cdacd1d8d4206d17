/** A cluster as the target of a drill. */
import { keySlot } from '../../base/index.ts';
import {
  Deployment,
  type Endpoint,
  type NodeAddress,
  formatAddress,
  replyItems,
  replyText,
} from '../../client/index.ts';
import {
  type ClusterReport,
  type FailoverMode,
  type NodeReport,
  callNode,
  closeReport,
  connectNode,
  findProblems,
  formatRanges,
  inspectCluster,
  planFailover,
  slotsOf,
  withCredentials,
} from '../cluster/index.ts';
import { ToolError } from '../errors.ts';
import { SIGHT_COMMANDS, type Sight, changesOf, readSight } from './sight.ts';
import type { DrillKind, Member, Shard, Target } from './target.ts';
import type { Timeline } from './timeline.ts';
import { watchEach } from './watching.ts';

const RANGES_SHOWN = 3;
const DATA_BOUND_MS = 5000;
/** How much longer than cluster-node-timeout a silence has to be to end in a failover, and by how much more. */
const SILENCE_FACTOR = 2;
const SILENCE_MARGIN_MS = 2000;
const MODES: Readonly<Partial<Record<DrillKind, FailoverMode>>> = {
  manual: 'coordinated',
  force: 'force',
  takeover: 'takeover',
};

export class ClusterTarget implements Target {
  readonly kinds: readonly DrillKind[] = ['manual', 'force', 'takeover'];
  readonly title: string;
  readonly silenceMs: number;
  readonly news = undefined;
  /** Every node, so that one that is gone does not end the drill. */
  readonly #seeds: readonly NodeAddress[];
  #turn = 0;

  private constructor(seeds: readonly NodeAddress[], silenceMs: number) {
    this.#seeds = seeds;
    this.silenceMs = silenceMs;
    this.title = `the cluster of ${seeds.length} nodes with ${seeds.map((seed) => formatAddress(seed))[0] ?? ''}`;
  }

  static async open(seeds: readonly NodeAddress[]): Promise<ClusterTarget> {
    const report = await inspectCluster(seeds);
    try {
      const client = report.seed.own?.client;
      const [, timeout] = replyItems(
        client === undefined
          ? null
          : await callNode(client, 'CONFIG', 'GET', 'cluster-node-timeout'),
      );
      const silenceMs = SILENCE_FACTOR * Number(replyText(timeout)) + SILENCE_MARGIN_MS;
      const nodes = report.nodes.map((each) => addressOf(each, report));
      return new ClusterTarget(nodes, silenceMs);
    } finally {
      closeReport(report);
    }
  }

  async shards(): Promise<Shard[]> {
    return this.#look((report) => {
      const masters = report.nodes
        .filter(({ node }) => node.role === 'master' && node.slots.length > 0)
        // Whoever the master is: the shards keep their order from round to round.
        .toSorted((a, b) => (a.node.slots[0]?.[0] ?? 0) - (b.node.slots[0]?.[0] ?? 0));
      return masters.map((master) => ({
        name: formatRanges(master.node.slots, RANGES_SHOWN),
        master: memberOf(master, report),
        replicas: report.nodes
          .filter(({ node }) => node.masterId === master.node.id)
          .map((replica) => memberOf(replica, report)),
        tag: tagOf(master),
      }));
    });
  }

  problem(missing: Member | undefined): Promise<string | undefined> {
    return this.#look((report) => {
      const errors = findProblems(report).filter(({ severity }) => severity === 'error');
      // Whoever is missing is known to be.
      return errors.find(({ code }) => missing === undefined || code !== 'unreachable')?.message;
    });
  }

  another(failed: Endpoint): Promise<Endpoint> {
    const others = this.#seeds.filter(
      ({ host, port }) => host !== failed.host || port !== failed.port,
    );
    return Promise.resolve(others[this.#turn++ % others.length] ?? failed);
  }

  async aim(kind: DrillKind, shard: Shard): Promise<() => Promise<void>> {
    const mode = MODES[kind];
    if (mode === undefined) throw new ToolError('USAGE', `Cannot drill ${kind} on a cluster`);
    const replica = await this.#look((report) => {
      const seed = report.nodes.find(({ node }) => node.id === shard.master.id) ?? report.seed;
      const plan = planFailover({ ...report, seed }, mode);
      if (plan.kind === 'plan') return memberOf(plan.replica, report);
      throw new ToolError('NODES_REFUSED', `Cannot fail over: ${plan.reason}`);
    });
    const client = await connectNode(replica.address);
    const words = mode === 'coordinated' ? [] : [mode.toUpperCase()];
    return async () => {
      try {
        await callNode(client, 'CLUSTER', 'FAILOVER', ...words);
      } finally {
        client.close();
      }
    };
  }

  async watch(timeline: Timeline): Promise<() => void> {
    return watchEach(this.#seeds, timeline, async (client, name, before: Sight | undefined) => {
      const sight = readSight(await client.pipeline(SIGHT_COMMANDS));
      if (before !== undefined) {
        for (const { kind, text } of changesOf(name, before, sight)) timeline.add(name, kind, text);
      }
      return sight;
    });
  }

  data(): Promise<Deployment> {
    return Deployment.open({ seeds: this.#seeds, timeoutMs: DATA_BOUND_MS });
  }

  async #look<T>(ask: (report: ClusterReport) => T | Promise<T>): Promise<T> {
    const report = await inspectCluster(this.#seeds);
    try {
      return await ask(report);
    } finally {
      closeReport(report);
    }
  }
}

function addressOf({ node }: NodeReport, { address }: ClusterReport): NodeAddress {
  return withCredentials(node, address);
}

function memberOf(each: NodeReport, report: ClusterReport): Member {
  return { id: each.node.id, name: each.name, address: addressOf(each, report) };
}

/** The first short tag whose slot the master owns. */
function tagOf({ node }: NodeReport): string {
  const owned = new Set(slotsOf(node.slots));
  for (let n = 0; ; n++) {
    const tag = Buffer.from(`t${n}`);
    if (owned.has(keySlot(tag, 0, tag.length))) return tag.toString();
  }
}
