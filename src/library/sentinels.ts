/** A master, its replicas and the Sentinels that look after them, in this process, and the faults to try them with. */
import { replyItems, replyText } from '../client/index.ts';
import { LibraryError } from './errors.ts';
import { onFreePort } from './free-ports.ts';
import { DataNode, GroupNode, LocalGroup, WAIT_MS_DEFAULT, type WaitOptions } from './group.ts';
import { type ConfigLines, LocalNode } from './local-node.ts';
import { PartitionableNetwork } from './partition.ts';
import { Timeline } from './timeline.ts';
import { poll } from './waiting.ts';

export interface SentinelOptions {
  /** Name of the master; default `mymaster`. */
  readonly name?: string;
  /** Replicas of the master; at least 0; default 2. */
  readonly replicas?: number;
  /** Sentinels, at least 1, and 3 for failover; default 3. */
  readonly sentinels?: number;
  /** Sentinels that must find the master silent; default the majority. */
  readonly quorum?: number;
  /** down-after-milliseconds, in the Sentinels' time; default 1000. */
  readonly downAfterMs?: number;
  /** failover-timeout, milliseconds in the Sentinels' time; default 10000. */
  readonly failoverTimeoutMs?: number;
  /**
   * How many times as fast the Sentinels' time passes, in [1, 20]; default 10: a master that was killed is replaced within
   * 0.3 s. 1: as Sentinels are.
   */
  readonly timeScale?: number;
  /** More of redis.conf, for every node with data; default: nothing. */
  readonly config?: ConfigLines;
  /** Bound for all of them to know each other, milliseconds; default 15000. */
  readonly timeoutMs?: number;
}

export interface SwitchOptions extends WaitOptions {
  /** The master hands over and loses nothing; false: as plain SENTINEL FAILOVER, which does not ask it. Default true. */
  readonly isCoordinated?: boolean;
}

const TIME_SCALE_MAX = 20;
const HOST = '127.0.0.1';

/** What a set is made of. */
interface SetParts {
  readonly name: string;
  readonly nodes: ReadonlyMap<DataNode, LocalNode>;
  readonly sentinels: ReadonlyMap<GroupNode, LocalNode>;
  readonly network: PartitionableNetwork;
  readonly timeline: Timeline;
}

/** A master with replicas and Sentinels, in memory, on 127.0.0.1. */
export class LocalSentinels extends LocalGroup<GroupNode> {
  /** Of the master, as clients ask for it. */
  readonly name: string;
  /** Nodes with data; the first one was the master at the start. */
  readonly nodes: readonly DataNode[];
  readonly sentinels: readonly GroupNode[];

  /** Use `startSentinel`. */
  constructor({ name, nodes, sentinels, network, timeline }: SetParts) {
    super(new Map<GroupNode, LocalNode>([...nodes, ...sentinels]), network, timeline);
    this.name = name;
    this.nodes = [...nodes.keys()];
    this.sentinels = [...sentinels.keys()];
  }

  /** Where clients ask for the master, as they take it. */
  get addresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.sentinels.map(({ port }) => ({ host: HOST, port }));
  }

  /** The node that all Sentinels call the master, those apart that do not run; undefined while they differ. */
  master(): DataNode | undefined {
    const awake = this.sentinels.filter(({ isPaused, isRunning }) => isRunning && !isPaused);
    const ports = new Set(awake.map((sentinel) => this.local(sentinel).masterPort(this.name)));
    const [port] = ports;
    return ports.size === 1 ? this.nodes.find((node) => node.port === port) : undefined;
  }

  /**
   * SENTINEL FAILOVER, at the first Sentinel that runs, again while it says that none of the replicas will do yet;
   * resolves when all Sentinels name the new master.
   * @throws LibraryError `TIMEOUT` when the master does not change in time
   */
  async failover(options: SwitchOptions = {}): Promise<void> {
    const { isCoordinated = true, timeoutMs = WAIT_MS_DEFAULT } = options;
    const sentinel = this.sentinels.find(({ isPaused, isRunning }) => isRunning && !isPaused);
    if (sentinel === undefined) {
      throw new LibraryError('NOT_RUNNING', 'Cannot fail over: no Sentinel runs');
    }
    const before = this.master();
    const words = isCoordinated ? ['COORDINATED'] : [];
    const ask = async (): Promise<boolean> => {
      await sentinel.call('SENTINEL', 'FAILOVER', this.name, ...words);
      return true;
    };
    await poll(ask, timeoutMs, 'the Sentinel begins');
    const isDone = (): boolean => {
      const now = this.master();
      return now !== undefined && now !== before && now.role() === 'master';
    };
    await poll(isDone, timeoutMs, 'another node is master');
  }

  /**
   * Resolves once the condition answers true; what it throws counts as not yet. `'ok'`: all Sentinels that run name the
   * same master and know each other and all nodes, which follow it with all its data.
   * @throws LibraryError `TIMEOUT`
   */
  async waitFor(
    condition: 'ok' | (() => boolean | Promise<boolean>),
    options: WaitOptions = {},
  ): Promise<void> {
    const { timeoutMs = WAIT_MS_DEFAULT } = options;
    if (condition === 'ok') await poll(() => this.#isWhole(), timeoutMs, 'the set is ok');
    else await poll(condition, timeoutMs, condition.name || 'the condition is true');
  }

  async #isWhole(): Promise<boolean> {
    const master = this.master();
    if (master?.role() !== 'master') return false;
    const isAwake = ({ isPaused, isRunning }: GroupNode): boolean => isRunning && !isPaused;
    const replicas = this.nodes.filter((node) => node !== master);
    if (!replicas.filter(isAwake).every((node) => this.local(node).isFollowing)) return false;
    const views = await Promise.all(
      this.sentinels.filter(isAwake).map((sentinel) => factsOf(sentinel, this.name)),
    );
    return views.every(
      (view) =>
        view.get('flags') === 'master' &&
        view.get('num-slaves') === String(replicas.length) &&
        view.get('num-other-sentinels') === String(this.sentinels.length - 1),
    );
  }
}

/** What a Sentinel says of the master. */
async function factsOf(sentinel: GroupNode, name: string): Promise<ReadonlyMap<string, string>> {
  const words = replyItems(await sentinel.call('SENTINEL', 'MASTER', name)).map(replyText);
  const facts = new Map<string, string>();
  for (let i = 0; i + 1 < words.length; i += 2) facts.set(words[i]!, words[i + 1]!);
  return facts;
}

/**
 * Starts a master, its replicas and Sentinels in this process, and resolves once they know each other (see `waitFor('ok')`).
 * @throws LibraryError `BAD_OPTION`, `START_FAILED` or `TIMEOUT`; then nothing is left running
 */
export async function startSentinel(options: SentinelOptions = {}): Promise<LocalSentinels> {
  const { replicas = 2, sentinels = 3, timeScale = 10, timeoutMs = WAIT_MS_DEFAULT } = options;
  checkCount('replicas', replicas, 0);
  checkCount('sentinels', sentinels, 1);
  if (!(timeScale >= 1 && timeScale <= TIME_SCALE_MAX)) {
    const message = `Cannot use timeScale ${timeScale}: from 1 to ${TIME_SCALE_MAX} needed`;
    throw new LibraryError('BAD_OPTION', message);
  }
  const starter = new SetStarter(options);
  try {
    await starter.startNodes(replicas);
    await starter.startSentinels(sentinels, timeScale);
    const set = starter.set();
    await set.waitFor('ok', { timeoutMs });
    return set;
  } catch (error) {
    await starter.kill();
    throw error;
  }
}

class SetStarter {
  readonly #options: SentinelOptions;
  readonly #name: string;
  readonly #timeline: Timeline = new Timeline();
  readonly #network: PartitionableNetwork = new PartitionableNetwork();
  readonly #nodes: LocalNode[] = [];
  readonly #sentinels: LocalNode[] = [];

  constructor(options: SentinelOptions) {
    this.#options = options;
    this.#name = options.name ?? 'mymaster';
  }

  async startNodes(replicas: number): Promise<void> {
    for (let index = 0; index <= replicas; index++) {
      const master = this.#nodes[0];
      const role = master === undefined ? {} : { replicaof: `${HOST} ${master.port}` };
      const config = { ...role, ...this.#options.config };
      this.#nodes.push(await this.#start({ config }));
    }
  }

  async startSentinels(count: number, timeScale: number): Promise<void> {
    const { downAfterMs = 1000, failoverTimeoutMs = 10_000, quorum } = this.#options;
    const name = this.#name;
    const lines = [
      `monitor ${name} ${HOST} ${this.#nodes[0]!.port} ${quorum ?? Math.floor(count / 2) + 1}`,
      `down-after-milliseconds ${name} ${downAfterMs}`,
      `failover-timeout ${name} ${failoverTimeoutMs}`,
    ];
    const sentinel = { lines, timeScale };
    for (let index = 0; index < count; index++) {
      this.#sentinels.push(await this.#start({ config: {}, sentinel }));
    }
  }

  set(): LocalSentinels {
    return new LocalSentinels({
      ...{ name: this.#name, network: this.#network, timeline: this.#timeline },
      nodes: new Map(this.#nodes.map((local) => [new DataNode(local), local])),
      sentinels: new Map(this.#sentinels.map((local) => [new GroupNode(local), local])),
    });
  }

  async kill(): Promise<void> {
    await Promise.all([...this.#nodes, ...this.#sentinels].map((local) => local.kill()));
  }

  #start(
    what: Pick<ConstructorParameters<typeof LocalNode>[0], 'config' | 'sentinel'>,
  ): Promise<LocalNode> {
    return onFreePort(async (port) => {
      const node = new LocalNode({
        ...{ port, ...what, hasConfigFile: true },
        ...{ timeline: this.#timeline, network: this.#network },
      });
      await node.start();
      return node;
    });
  }
}

function checkCount(what: string, count: number, least: number): void {
  if (Number.isSafeInteger(count) && count >= least) return;
  const message = `Cannot start ${count} ${what}: a whole number from ${least} needed`;
  throw new LibraryError('BAD_OPTION', message);
}
