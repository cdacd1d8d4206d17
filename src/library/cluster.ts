/** A whole cluster in this process, and the faults to try it with. */
import type { Argument } from '../client/index.ts';
import type { Reply } from '../resp/index.ts';
import { isWhole } from './agreement.ts';
import { LibraryError } from './errors.ts';
import { formCluster } from './forming.ts';
import { onFreePort } from './free-ports.ts';
import { type ConfigLines, LocalNode } from './local-node.ts';
import { PartitionableNetwork } from './partition.ts';
import { Timeline, type TimelineEvent } from './timeline.ts';
import { poll } from './waiting.ts';

const WAIT_MS_DEFAULT = 15_000;

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

export interface WaitOptions {
  /** Default 15000. */
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
export class ClusterNode {
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly #local: LocalNode;

  /** Made by `startCluster`. */
  constructor(id: string, local: LocalNode) {
    this.id = id;
    this.#local = local;
  }

  get port(): number {
    return this.#local.port;
  }

  /** As clients take it: `redis://127.0.0.1:PORT`. */
  get url(): string {
    return this.#local.url;
  }

  get isRunning(): boolean {
    return this.#local.isRunning;
  }

  get isPaused(): boolean {
    return this.#local.isPaused;
  }

  /** What the node takes itself for, right now; undefined while it does not run. */
  role(): 'master' | 'replica' | undefined {
    return this.#local.role();
  }

  /**
   * One command to this node, redirections not followed; bulk strings come as bytes. Rejects with the node's ReplyError, or
   * with ClientError: `TIMEOUT` after 5 s, `CLOSED`.
   */
  call(...args: readonly Argument[]): Promise<Reply> {
    return this.#local.call(...args);
  }
}

/** A cluster with its data in memory, on 127.0.0.1. */
export class LocalCluster implements AsyncDisposable {
  /** Masters first, then the replicas of the first master, of the second, and so on, as they were at the start. */
  readonly nodes: readonly ClusterNode[];
  readonly #locals: ReadonlyMap<string, LocalNode>;
  readonly #network: PartitionableNetwork;
  readonly #timeline: Timeline;

  /** Use `startCluster`. */
  constructor(
    locals: ReadonlyMap<string, LocalNode>,
    network: PartitionableNetwork,
    timeline: Timeline,
  ) {
    this.nodes = [...locals].map(([id, local]) => new ClusterNode(id, local));
    this.#locals = locals;
    this.#network = network;
    this.#timeline = timeline;
  }

  /** One for each node. */
  get urls(): readonly string[] {
    return this.nodes.map(({ url }) => url);
  }

  /** What happened so far, in order, seen by every node for itself; the last 10000 events. */
  get timeline(): readonly TimelineEvent[] {
    return this.#timeline.events;
  }

  /** Node by its place in `nodes`, from 0. */
  node(index: number): ClusterNode {
    const found = this.nodes[index];
    if (found !== undefined) return found;
    throw new LibraryError('BAD_OPTION', `Cannot find node ${index}: ${this.nodes.length} nodes`);
  }

  /** As kill -9: connections are cut, nothing is said, the data is gone; what it knew of the cluster stays on its disk. */
  kill(node: ClusterNode): Promise<void> {
    return this.#local(node).kill();
  }

  /** Starts a node again that was killed or has shut down: on the same ports, with the same id, without data. */
  restart(node: ClusterNode): Promise<void> {
    return this.#local(node).start();
  }

  /** As SIGSTOP: the node reads nothing and does nothing; connections stay open. */
  pause(node: ClusterNode): void {
    this.#local(node).pause();
  }

  /** As SIGCONT: goes on with what waited. */
  resume(node: ClusterNode): void {
    this.#local(node).resume();
  }

  /**
   * No bytes pass between nodes of different groups any more, neither on the bus nor for replication; their connections
   * hang. A node in no group reaches everybody, and clients reach every node. Replaces an earlier partition.
   */
  partition(groups: readonly (readonly ClusterNode[])[]): void {
    const ports = groups.map((group) => group.map((node) => this.#local(node).port));
    this.#timeline.add('partitioned', undefined, ports.map((group) => group.join(' ')).join(' | '));
    this.#network.part(ports);
  }

  /** Ends the partition; what waited arrives. */
  heal(): void {
    this.#timeline.add('healed', undefined, 'healed');
    this.#network.heal();
  }

  /**
   * CLUSTER FAILOVER on a replica; resolves when it is master.
   * @throws ReplyError when the node refuses, LibraryError `TIMEOUT` when it does not become master in time
   */
  async failover(node: ClusterNode, options: FailoverOptions = {}): Promise<void> {
    const { mode = 'coordinated', timeoutMs = WAIT_MS_DEFAULT } = options;
    const words = mode === 'coordinated' ? [] : [mode.toUpperCase()];
    await this.#local(node).call('CLUSTER', 'FAILOVER', ...words);
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
    if (condition === 'ok') await poll(() => isWhole(this.#locals), timeoutMs, 'the cluster is ok');
    else await poll(condition, timeoutMs, condition.name || 'the condition is true');
  }

  /** Ends every node; nothing of the cluster is left. May be called again. */
  async stop(): Promise<void> {
    await Promise.all([...this.#locals.values()].map((local) => local.kill()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #local(node: ClusterNode): LocalNode {
    const found = this.#locals.get(node.id);
    if (found !== undefined) return found;
    throw new LibraryError('BAD_OPTION', `Cannot find node ${node.port}: not of this cluster`);
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
