/**
 * One face for a standalone server and a whole cluster: which nodes hold data, which of them owns a key, and commands
 * that follow redirections.
 */
import { SLOT_COUNT, keySlot } from '../base/index.ts';
import type { Reply } from '../resp/index.ts';
import { type NodeAddress, formatAddress } from './address.ts';
import { ClusterClient } from './cluster-client.ts';
import { ClientError } from './errors.ts';
import { replyFacts } from './reply-text.ts';
import { type Argument, RespClient } from './resp-client.ts';
import { findMaster } from './sentinel.ts';
import type { Endpoint } from './slot-cache.ts';

/** In place of an index: no node owns the slot. */
export const NOBODY = -1;

export interface DeploymentOptions {
  /** Nodes, tried in order; Sentinels when `masterName` is given. */
  readonly seeds: readonly NodeAddress[];
  /** Name of the master that Sentinels watch. */
  readonly masterName?: string | undefined;
  /** Bound for connecting and for each reply, milliseconds. */
  readonly timeoutMs: number;
}

export class Deployment {
  readonly #options: DeploymentOptions;
  #address: NodeAddress;
  readonly #cluster: ClusterClient | undefined;
  /** Of a standalone server, by database number. */
  readonly #byDb: Map<number, Promise<RespClient>> = new Map();
  #masters: readonly Endpoint[];
  /** Of a cluster: index in `#masters` by slot. */
  readonly #owners: Int16Array = new Int16Array(SLOT_COUNT);

  private constructor(
    options: DeploymentOptions,
    address: NodeAddress,
    cluster: ClusterClient | undefined,
  ) {
    this.#options = options;
    this.#address = address;
    this.#cluster = cluster;
    this.#masters = [address];
    this.#takeMap();
  }

  /** Finds out what answers at the seeds. Throws ClientError. */
  static async open(options: DeploymentOptions): Promise<Deployment> {
    const { masterName, timeoutMs } = options;
    const seeds =
      masterName === undefined
        ? options.seeds
        : [await findMaster(options.seeds, masterName, timeoutMs)];
    let failure: unknown;
    for (const address of seeds) {
      let client: RespClient | undefined;
      try {
        client = await RespClient.connect({ ...address, timeoutMs });
        const facts = replyFacts(await client.call('INFO', 'cluster'));
        const isCluster = facts.get('cluster_enabled') === '1';
        const cluster = isCluster ? await ClusterClient.connect({ seeds, timeoutMs }) : undefined;
        return new Deployment(options, address, cluster);
      } catch (error) {
        failure ??= error;
      } finally {
        client?.close();
      }
    }
    throw failure ?? new ClientError('NO_NODE', 'No node to ask: name one as host:port');
  }

  /** Address that answered; its user, password and TLS hold for every node. */
  get address(): NodeAddress {
    return this.#address;
  }

  get isCluster(): boolean {
    return this.#cluster !== undefined;
  }

  /** The nodes that hold the data: every master with slots, or the one server. */
  masters(): readonly Endpoint[] {
    return this.#masters;
  }

  /** Index in `masters()` of the node that owns the key, as far as is known; NOBODY when no node does. */
  ownerOf(buf: Buffer, at: number, size: number): number {
    return this.#cluster === undefined ? 0 : this.ownerOfSlot(keySlot(buf, at, size));
  }

  /** As `ownerOf`, by slot. */
  ownerOfSlot(slot: number): number {
    return this.#owners[slot] ?? NOBODY;
  }

  /** The shared connection to one of `masters()`, with the database selected; made when there is none. */
  connection(master: number, db: number = 0): Promise<RespClient> {
    if (this.#cluster === undefined) return this.#standalone(db);
    const endpoint = this.#masters[master];
    if (endpoint === undefined) throw new ClientError('NO_NODE', `Cannot find master ${master}`);
    return this.#cluster.node(endpoint);
  }

  /** One command about `key` that finds its node by itself; rejects as `ClusterClient.call` does. */
  async call(db: number, key: Buffer, ...args: readonly Argument[]): Promise<Reply> {
    if (this.#cluster !== undefined) return this.#cluster.call(key, ...args);
    return (await this.#standalone(db)).call(...args);
  }

  /**
   * Reads the slot map again, or asks the Sentinels: the addresses of `masters()` change, and of a cluster their indexes.
   * Throws ClientError.
   */
  async refresh(): Promise<void> {
    const { seeds, masterName, timeoutMs } = this.#options;
    if (this.#cluster === undefined && masterName !== undefined) {
      this.moveTo(await findMaster(seeds, masterName, timeoutMs));
    }
    await this.#cluster?.refresh();
    this.#takeMap();
  }

  /** Another server has the data of this one, which is no cluster, from now on. */
  moveTo({ host, port }: Endpoint): void {
    const address = { ...this.#address, host, port };
    if (formatAddress(address) !== this.name) this.close();
    this.#address = address;
    this.#masters = [address];
  }

  close(): void {
    this.#cluster?.close();
    for (const connecting of this.#byDb.values()) {
      connecting.then(
        (client) => client.close(),
        () => undefined,
      );
    }
    this.#byDb.clear();
  }

  get name(): string {
    return formatAddress(this.address);
  }

  async #standalone(db: number): Promise<RespClient> {
    const known = this.#byDb.get(db);
    if (known !== undefined) {
      const client = await known.catch(() => undefined);
      if (client?.isOpen === true) return client;
      if (this.#byDb.get(db) === known) this.#byDb.delete(db);
    }
    const { address } = this;
    const connecting =
      this.#byDb.get(db) ??
      RespClient.connect({ ...address, db, timeoutMs: this.#options.timeoutMs });
    this.#byDb.set(db, connecting);
    return connecting;
  }

  #takeMap(): void {
    if (this.#cluster === undefined) return;
    this.#masters = this.#cluster.masters();
    const indexes = new Map(this.#masters.map((master, index) => [formatAddress(master), index]));
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const master = this.#cluster.masterOf(slot);
      const index = master === undefined ? undefined : indexes.get(formatAddress(master));
      this.#owners[slot] = index ?? NOBODY;
    }
  }
}
