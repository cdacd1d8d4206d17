/**
 * Which node is the master that a run should follow: after a failover of the source it is another one, with the history
 * of the old one, so that the stream goes on there. A cluster and Sentinels say so themselves; without either, the
 * replicas that the master had and the other nodes that the user named are asked.
 */
import {
  ClientError,
  type Deployment,
  type DeploymentOptions,
  type Endpoint,
  RespClient,
  formatAddress,
  replyFacts,
} from '../../client/index.ts';
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

  constructor(source: Deployment, options: DeploymentOptions) {
    this.#source = source;
    this.#options = options;
    if (!source.isCluster && options.masterName === undefined) this.#heirs = options.seeds;
  }

  /** Lets runs follow whoever has their masters' place now. Throws what is no matter of nodes that do not answer. */
  async look(runs: readonly SourceRun[]): Promise<void> {
    const isLost = runs.some((run) => run.downMs > LOST_MS);
    if (!isLost && performance.now() < this.#lookAtMs) return;
    this.#lookAtMs = performance.now() + LOOK_MS;
    try {
      if (this.#source.isCluster || this.#options.masterName !== undefined) await this.#ask(runs);
      else for (const run of runs) await this.#askHeirs(run);
    } catch (error) {
      // Nobody knows yet: ask again later.
      if (!(error instanceof ClientError)) throw error;
    }
  }

  async #ask(runs: readonly SourceRun[]): Promise<void> {
    const source = this.#source;
    await source.refresh();
    const masters = source.masters();
    const names = new Set(masters.map((master) => formatAddress(master)));
    const followed = new Set(runs.map((run) => run.address));
    for (const run of runs) {
      const slot = Number.parseInt(run.slots, 10);
      const master = masters[source.isCluster ? source.ownerOfSlot(slot) : 0];
      if (master === undefined || followed.has(formatAddress(master))) continue;
      const isAway = run.downMs > LOST_MS;
      if (isAway || (!names.has(run.address) && (await this.#isReplicaOf(run, master)))) {
        run.follow(master);
      }
    }
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
