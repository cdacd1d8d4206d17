/** A whole cluster in this process, and the faults to try it with. */
import { isWhole } from './agreement.ts';
import { LibraryError } from './errors.ts';
import { formCluster } from './forming.ts';
import { onFreePort } from './free-ports.ts';
import { DataNode, LocalGroup, WAIT_MS_DEFAULT, type WaitOptions } from './group.ts';
import { type ConfigLines, LocalNode } from './local-node.ts';
import { PartitionableNetwork } from './partition.ts';
import { Timeline } from './timeline.ts';
import { poll } from './waiting.ts';

export interface ClusterOptions {
  /** Masters, each with an equal share of the slots; at least 1, and 3 for failover; default 3. */
  readonly masters?: number;
  /** Replicas of each master; default 1. */
  readonly replicas?: number;
  /** cluster-node-timeout, milliseconds; default 1000. */
  readonly nodeTimeoutMs?: number;
  /** A client port for each node, masters first; bus ports are 10000 above; default: free ones. */
  readonly ports?: readonly number[];
  /** More of redis.conf, for every node; default: nothing. */
  readonly config?: ConfigLines;
  /** Bound for the cluster to form, milliseconds; default 15000. */
  readonly timeoutMs?: number;
}

export interface FailoverOptions extends WaitOptions {
  /**
   * `coordinated`: the master hands over and loses nothing. `force`: the master is not asked. `takeover`: nobody is asked.
   * Default `coordinated`.
   */
  readonly mode?: 'coordinated' | 'force' | 'takeover';
}

/** One node of a cluster in this process. */
export class ClusterNode extends DataNode {
  /** 40 hexadecimal digits. */
  readonly id: string;

  /** Made by `startCluster`. */
  constructor(id: string, local: LocalNode) {
    super(local);
    this.id = id;
  }
}

/** A cluster with its data in memory, on 127.0.0.1. */
export class LocalCluster extends LocalGroup<ClusterNode> {
  /** Masters first, then the replicas of the first master, of the second, and so on, as they were at the start. */
  readonly nodes: readonly ClusterNode[];
  readonly #byId: ReadonlyMap<string, LocalNode>;

  /** Use `startCluster`. */
  constructor(
    byId: ReadonlyMap<string, LocalNode>,
    network: PartitionableNetwork,
    timeline: Timeline,
  ) {
    const locals = new Map([...byId].map(([id, local]) => [new ClusterNode(id, local), local]));
    super(locals, network, timeline);
    this.nodes = [...locals.keys()];
    this.#byId = byId;
  }

  /** One for each node. */
  get urls(): readonly string[] {
    return this.nodes.map(({ url }) => url);
  }

  /** Node by its place in `nodes`, from 0. */
  node(index: number): ClusterNode {
    const found = this.nodes[index];
    if (found !== undefined) return found;
    throw new LibraryError('BAD_OPTION', `Cannot find node ${index}: ${this.nodes.length} nodes`);
  }

  /**
   * CLUSTER FAILOVER on a replica; resolves when it is master.
   * @throws ReplyError when the node refuses, LibraryError `TIMEOUT` when it does not become master in time
   */
  async failover(node: ClusterNode, options: FailoverOptions = {}): Promise<void> {
    const { mode = 'coordinated', timeoutMs = WAIT_MS_DEFAULT } = options;
    const words = mode === 'coordinated' ? [] : [mode.toUpperCase()];
    await this.local(node).call('CLUSTER', 'FAILOVER', ...words);
    await poll(() => node.role() === 'master', timeoutMs, `${node.port} becomes master`);
  }

  /**
   * Resolves once the condition answers true; what it throws counts as not yet. `'ok'`: every node that runs and is not
   * paused serves and sees the same cluster, every slot belongs to one of them, replicas follow their masters.
   * @throws LibraryError `TIMEOUT`
   */
  async waitFor(
    condition: 'ok' | (() => boolean | Promise<boolean>),
    options: WaitOptions = {},
  ): Promise<void> {
    const { timeoutMs = WAIT_MS_DEFAULT } = options;
    if (condition === 'ok') await poll(() => isWhole(this.#byId), timeoutMs, 'the cluster is ok');
    else await poll(condition, timeoutMs, condition.name || 'the condition is true');
  }
}

/**
 * Starts a cluster in this process and resolves once it is whole (see `waitFor('ok')`).
 * @throws LibraryError `BAD_OPTION`, `START_FAILED` or `TIMEOUT`; then nothing is left running
 */
export async function startCluster(options: ClusterOptions = {}): Promise<LocalCluster> {
  const { masters = 3, replicas = 1, ports, timeoutMs = WAIT_MS_DEFAULT } = options;
  const count = masters * (1 + replicas);
  checkCounts(masters, replicas);
  if (ports !== undefined && ports.length !== count) {
    const message = `Cannot start ${count} nodes: ${ports.length} ports given`;
    throw new LibraryError('BAD_OPTION', message);
  }
  const timeline = new Timeline();
  const network = new PartitionableNetwork();
  const config = {
    'cluster-enabled': 'yes',
    'cluster-node-timeout': options.nodeTimeoutMs ?? 1000,
    ...options.config,
  };
  const nodes: LocalNode[] = [];
  const start = async (port: number): Promise<LocalNode> => {
    const node = new LocalNode({ port, config, timeline, network });
    await node.start();
    return node;
  };
  try {
    for (let index = 0; index < count; index++) {
      const port = ports?.[index];
      nodes.push(port === undefined ? await onFreePort(start) : await start(port));
    }
    const byId = await formCluster({ nodes, masterCount: masters, timeoutMs });
    return new LocalCluster(byId, network, timeline);
  } catch (error) {
    await Promise.all(nodes.map((node) => node.kill()));
    throw error;
  }
}

function checkCounts(masters: number, replicas: number): void {
  const isCount = Number.isSafeInteger(masters) && Number.isSafeInteger(replicas);
  if (isCount && masters >= 1 && replicas >= 0) return;
  const wanted = `${masters} masters with ${replicas} replicas each`;
  throw new LibraryError('BAD_OPTION', `Cannot start ${wanted}: whole numbers from 1 and 0 needed`);
}
