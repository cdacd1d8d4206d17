/**
 * Which node is the master that a run should follow: after a failover of the source it is another one, with the history
 * of the old one, so that the stream goes on there. A cluster and Sentinels say so themselves; without either, the
 * replicas that the master had and the other nodes that the user named are asked. A cluster also gets masters that have
 * nobody's place, and loses others.
 */
import {
  ClientError,
  type Deployment,
  type DeploymentOptions,
  type Endpoint,
  NOBODY,
  RespClient,
  formatAddress,
  replyFacts,
} from '../../client/index.ts';
import { NO_SLOTS, slotsIn } from './ends.ts';
import type { SourceRun } from './source-run.ts';

/** How often masters that answer are asked whether they still are. */
const LOOK_MS = 2000;
/** A master that is away so long is looked for elsewhere. */
const LOST_MS = 1000;

type Facts = ReadonlyMap<string, string>;

export class SourceMasters {
  readonly #source: Deployment;
  readonly #options: DeploymentOptions;
  /** Without cluster and Sentinels: who could become the master. */
  #heirs: readonly Endpoint[] = [];
  #lookAtMs = 0;
  /** Masters that may have the place of one that goes on, and since when, by address. */
  readonly #seenMs: Map<string, number> = new Map();

  constructor(source: Deployment, options: DeploymentOptions) {
    this.#source = source;
    this.#options = options;
    if (!source.isCluster && options.masterName === undefined) this.#heirs = options.seeds;
  }

  /**
   * Lets runs follow whoever has their masters' place now, and ends those whose slots other runs have. Answers masters
   * that nobody follows. Throws what is no matter of nodes that do not answer.
   */
  async look(runs: readonly SourceRun[]): Promise<readonly Endpoint[]> {
    const isLost = runs.some((run) => run.downMs > LOST_MS);
    if (!isLost && performance.now() < this.#lookAtMs) return [];
    this.#lookAtMs = performance.now() + LOOK_MS;
    try {
      if (this.#source.isCluster) return await this.#askCluster(runs);
      if (this.#options.masterName !== undefined) await this.#askSentinels(runs);
      else for (const run of runs) await this.#askHeirs(run);
    } catch (error) {
      // Nobody knows yet: ask again later.
      if (!(error instanceof ClientError)) throw error;
    }
    return [];
  }

  async #askSentinels(runs: readonly SourceRun[]): Promise<void> {
    await this.#source.refresh();
    const [master] = this.#source.masters();
    const [run] = runs;
    if (master === undefined || run === undefined) return;
    if (run.address === formatAddress(master)) return;
    if (run.downMs > LOST_MS || (await this.#isReplicaOf(run, master))) run.follow(master);
  }

  async #askCluster(runs: readonly SourceRun[]): Promise<readonly Endpoint[]> {
    const source = this.#source;
    await source.refresh();
    const masters = new Map(source.masters().map((master) => [formatAddress(master), master]));
    const going = runs.filter((run) => !run.isOver);
    const newcomers = new Map(masters);
    for (const { address } of going) newcomers.delete(address);
    for (const run of going.filter(({ address }) => !masters.has(address))) {
      const heir = this.#heirOf(run);
      const name = heir === undefined ? '' : formatAddress(heir);
      if (heir === undefined || !newcomers.has(name)) {
        if (heir !== undefined || run.slots === NO_SLOTS) run.endSource();
        continue;
      }
      const isHeir = run.downMs > LOST_MS || (await this.#isReplicaOf(run, heir));
      if (isHeir) run.follow(heir);
      // Until then it may be about to become its replica.
      if (isHeir || this.#isNewlySeen(name)) newcomers.delete(name);
    }
    return [...newcomers.values()];
  }

  /** The master that has most of a run's slots; undefined while nobody has any. */
  #heirOf(run: SourceRun): Endpoint | undefined {
    const counts = new Map<number, number>();
    for (const slot of slotsIn(run.slots)) {
      const owner = this.#source.ownerOfSlot(slot);
      if (owner === NOBODY) continue;
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    const [most] = [...counts].toSorted((a, b) => b[1] - a[1]);
    return most === undefined ? undefined : this.#source.masters()[most[0]];
  }

  #isNewlySeen(name: string): boolean {
    const seenMs = this.#seenMs.get(name) ?? performance.now();
    this.#seenMs.set(name, seenMs);
    return performance.now() - seenMs < LOST_MS;
  }

  /** Whether the node that is followed has become a replica of this one: slots that move are another matter. */
  async #isReplicaOf(run: SourceRun, master: Endpoint): Promise<boolean> {
    const facts = await this.#factsOf(run.endpoint);
    return masterOf(facts)?.port === master.port;
  }

  async #askHeirs(run: SourceRun): Promise<void> {
    if (run.downMs <= LOST_MS) {
      const facts = await this.#factsOf(run.endpoint);
      const master = masterOf(facts);
      if (master !== undefined) await this.#followIfMaster(run, master);
      else this.#heirs = unique([...this.#options.seeds, ...replicasIn(facts)]);
      return;
    }
    for (const heir of this.#heirs) {
      if (formatAddress(heir) === run.address) continue;
      try {
        if (await this.#followIfMaster(run, heir)) return;
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
      }
    }
  }

  async #followIfMaster(run: SourceRun, endpoint: Endpoint): Promise<boolean> {
    if ((await this.#factsOf(endpoint)).get('role') !== 'master') return false;
    this.#source.moveTo(endpoint);
    run.follow(endpoint);
    return true;
  }

  async #factsOf({ host, port }: Endpoint): Promise<Facts> {
    const { timeoutMs } = this.#options;
    const client = await RespClient.connect({ ...this.#source.address, host, port, timeoutMs });
    try {
      return replyFacts(await client.call('INFO', 'replication'));
    } finally {
      client.close();
    }
  }
}

/** Undefined of a master. */
function masterOf(facts: Facts): Endpoint | undefined {
  const [host, port] = [facts.get('master_host'), Number(facts.get('master_port'))];
  return host === undefined || !(port > 0) ? undefined : { host, port };
}

/** Replicas that have the data. We are none: a tool announces no port. */
function replicasIn(facts: Facts): Endpoint[] {
  const found: Endpoint[] = [];
  for (const text of facts.values()) {
    const match = /^ip=([^,]+),port=(\d+),state=online/.exec(text);
    if (match === null || Number(match[2]) === 0) continue;
    found.push({ host: match[1] ?? '', port: Number(match[2]) });
  }
  return found;
}

function unique(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return [...new Map(endpoints.map((each) => [formatAddress(each), each])).values()];
}
