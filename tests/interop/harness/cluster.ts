/** A cluster of real processes, formed by CLUSTER commands alone, so that it needs no tool and mixes any servers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SLOT_COUNT } from '../../../src/base/index.ts';
import { NodeProcess, freePorts } from './node-process.ts';
import { OUR_SERVER } from './programs.ts';
import { until } from './until.ts';

/** Short, so that a failover takes seconds; never shorter than what a busy two-core machine keeps. */
export const NODE_TIMEOUT_MS = 2000;
const MEET_AGAIN_MS = 3 * NODE_TIMEOUT_MS;

const FORM_BOUND_MS = 30_000;

export interface ClusterOptions {
  readonly masters: number;
  readonly replicasPerMaster: number;
  /** Executable of the node with this index: masters come first, then the replicas of each in turn. */
  readonly exeOf?: (index: number) => string;
  readonly config?: readonly string[];
  /** Whether its nodes speak nothing but TLS. */
  readonly isTls?: boolean;
  /** The slots of each master; default: equal parts. */
  readonly ranges?: readonly (readonly [first: number, last: number])[];
  /** Called before the node with this index starts: what its folder shall hold. */
  readonly furnish?: (index: number, dir: string) => void;
}

/** One line of CLUSTER NODES. */
export interface NodeRecord {
  readonly id: string;
  readonly port: number;
  readonly flags: ReadonlySet<string>;
  readonly masterId: string | undefined;
  readonly configEpoch: number;
  readonly isLinked: boolean;
  readonly slots: readonly (readonly [first: number, last: number])[];
}

export class Cluster {
  readonly nodes: NodeProcess[] = [];
  readonly #dir: string = mkdtempSync(join(tmpdir(), 'slotline-interop-'));
  readonly #config: readonly string[];
  readonly #isTls: boolean;

  private constructor(config: readonly string[], isTls: boolean) {
    this.#config = config;
    this.#isTls = isTls;
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const { masters, replicasPerMaster, exeOf = () => OUR_SERVER, config = [] } = options;
    const { ranges = equalRanges(masters), furnish, isTls = false } = options;
    const cluster = new Cluster(isTls ? [...config, 'tls-cluster yes'] : config, isTls);
    try {
      const ports = await freePorts(masters * (1 + replicasPerMaster));
      for (const [index, port] of ports.entries()) {
        const { dir } = cluster.#make(exeOf(index), port);
        furnish?.(index, dir);
      }
      await Promise.all(cluster.nodes.map((node) => node.start()));
      await cluster.#form(ranges, replicasPerMaster);
    } catch (error) {
      const logs = cluster.nodes.map((node) => `--- ${node.port}\n${node.log().slice(-1500)}`);
      await cluster.stop();
      throw new Error(`Cannot form a cluster: ${String(error)}\n${logs.join('\n')}`);
    }
    return cluster;
  }

  node(index: number): NodeProcess {
    const node = this.nodes[index];
    if (node === undefined)
      throw new Error(`Cannot find node ${index}: ${this.nodes.length} nodes`);
    return node;
  }

  get running(): NodeProcess[] {
    return this.nodes.filter((node) => node.isRunning);
  }

  /** Starts one more node that does not know the others yet. */
  async add(exe: string = OUR_SERVER): Promise<NodeProcess> {
    const [port = 0] = await freePorts(1);
    const node = this.#make(exe, port);
    await node.start();
    return node;
  }

  /** Introduces `node` and waits until everybody knows everybody. */
  async join(node: NodeProcess): Promise<void> {
    const contact = this.running.find((each) => each !== node);
    if (contact === undefined) throw new Error('Cannot join: no other node runs');
    await node.call('CLUSTER', 'MEET', '127.0.0.1', contact.port);
    await this.#untilAllKnown(this.running.length);
    // A node that has just joined answers CLUSTERDOWN until it has heard of every slot.
    await this.untilAgreed();
  }

  /** Makes `replica` a replica of `master` and waits until it has the data. */
  async replicate(replica: NodeProcess, master: NodeProcess): Promise<void> {
    const masterId = await master.text('CLUSTER', 'MYID');
    await until(
      async () => (await replica.text('CLUSTER', 'REPLICATE', masterId)) === 'OK',
      FORM_BOUND_MS,
      `${replica.port} accepts its master`,
    );
    await this.untilSynced(replica);
  }

  async untilSynced(replica: NodeProcess): Promise<void> {
    await until(
      async () => (await replica.facts('INFO', 'replication')).get('master_link_status') === 'up',
      FORM_BOUND_MS,
      `${replica.port} has the data of its master`,
    );
  }

  /** Waits until every node knows it as a replica of that master: before, nobody would vote for it. */
  async untilKnownReplica(replica: NodeProcess, master: NodeProcess): Promise<void> {
    const replicaId = await replica.text('CLUSTER', 'MYID');
    const masterId = await master.text('CLUSTER', 'MYID');
    await until(
      async () => {
        for (const node of this.running) {
          const record = (await this.view(node)).find(({ id }) => id === replicaId);
          if (record?.masterId !== masterId) return false;
        }
        return true;
      },
      FORM_BOUND_MS,
      `all know ${replica.port} as a replica of ${master.port}`,
    );
  }

  /** CLUSTER NODES as `node` sees it. */
  async view(node: NodeProcess): Promise<NodeRecord[]> {
    const lines = (await node.text('CLUSTER', 'NODES')).split('\n');
    return lines.filter((line) => line !== '').map((line) => parseRecord(line));
  }

  async myself(node: NodeProcess): Promise<NodeRecord> {
    const record = (await this.view(node)).find((each) => each.flags.has('myself'));
    if (record === undefined) throw new Error(`Cannot find "myself" in the view of ${node.port}`);
    return record;
  }

  async isMaster(node: NodeProcess): Promise<boolean> {
    return (await this.myself(node)).flags.has('master');
  }

  /** Waits until every running node is in state ok and all show the same masters with the same slots. */
  async untilAgreed(boundMs: number = FORM_BOUND_MS): Promise<void> {
    await until(() => this.#isAgreed(), boundMs, 'all nodes agree on the slots and are ok');
  }

  /** Ends what still runs and removes every file. */
  async stop(): Promise<void> {
    await Promise.all(this.running.map((node) => node.kill()));
    for (const node of this.nodes) node.disconnect();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #make(exe: string, port: number): NodeProcess {
    const config = [
      'cluster-enabled yes',
      'cluster-config-file nodes.conf',
      `cluster-node-timeout ${NODE_TIMEOUT_MS}`,
      'repl-diskless-sync yes',
      'repl-diskless-sync-delay 0',
      'appendonly no',
      ...this.#config,
    ];
    const node = new NodeProcess({
      exe,
      port,
      dir: join(this.#dir, String(port)),
      config,
      isTls: this.#isTls,
    });
    this.nodes.push(node);
    return node;
  }

  async #form(
    ranges: readonly (readonly [first: number, last: number])[],
    replicasPerMaster: number,
  ): Promise<void> {
    for (const [index, node] of this.nodes.entries()) {
      await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      if (index > 0) await node.call('CLUSTER', 'MEET', '127.0.0.1', this.node(0).port);
    }
    const masters = ranges.length;
    for (const [index, range] of ranges.entries()) await this.#assign(this.node(index), range);
    await this.#untilAllKnown(this.nodes.length);
    const replicas = this.nodes.slice(masters);
    await Promise.all(
      replicas.map((replica, index) =>
        this.replicate(replica, this.node(Math.floor(index / replicasPerMaster))),
      ),
    );
    await this.untilAgreed();
    for (const [index, replica] of replicas.entries()) {
      const master = this.node(Math.floor(index / replicasPerMaster));
      await this.untilKnownReplica(replica, master);
    }
  }

  /** Gives a node its slots; one that found keys at its start has taken theirs already. */
  async #assign(node: NodeProcess, [first, last]: readonly [number, number]): Promise<void> {
    const owned = new Set<number>();
    for (const [from, to] of (await this.myself(node)).slots) {
      for (let slot = from; slot <= to; slot++) owned.add(slot);
    }
    const missing: number[] = [];
    for (let slot = first; slot <= last; slot++) if (!owned.has(slot)) missing.push(slot);
    if (missing.length > 0) await node.call('CLUSTER', 'ADDSLOTS', ...missing);
  }

  /** On a busy machine a handshake may run out on one side, so those who are strangers for long are introduced again. */
  async #untilAllKnown(count: number): Promise<void> {
    let metAt = performance.now();
    await until(
      async () => {
        for (const node of this.running) {
          const view = await this.view(node);
          const known = view.filter(({ flags }) => !flags.has('handshake') && !flags.has('noaddr'));
          if (known.length >= count) continue;
          if (performance.now() - metAt < MEET_AGAIN_MS) return false;
          metAt = performance.now();
          const ports = new Set(known.map(({ port }) => port));
          const strangers = this.running.filter(({ port }) => !ports.has(port));
          for (const { port } of strangers) await node.call('CLUSTER', 'MEET', '127.0.0.1', port);
          return false;
        }
        return true;
      },
      FORM_BOUND_MS,
      `${count} nodes know each other`,
    );
  }

  async #isAgreed(): Promise<boolean> {
    const maps = new Set<string>();
    for (const node of this.running) {
      if ((await node.facts('CLUSTER', 'INFO')).get('cluster_state') !== 'ok') return false;
      const owners = (await this.view(node)).filter(({ slots }) => slots.length > 0);
      owners.sort((a, b) => (a.id < b.id ? -1 : 1));
      maps.add(JSON.stringify(owners.map(({ id, slots }) => [id, slots])));
    }
    return maps.size === 1;
  }
}

function equalRanges(masters: number): (readonly [first: number, last: number])[] {
  return Array.from({ length: masters }, (_, index) => [
    Math.floor((index * SLOT_COUNT) / masters),
    Math.floor(((index + 1) * SLOT_COUNT) / masters) - 1,
  ]);
}

/** Only whole ranges; slots being moved (`[slot->-id]`) are not of interest here. */
function parseRecord(line: string): NodeRecord {
  const [id = '', address = '', flags = '', masterId = '', , , epoch = '', link = '', ...slots] =
    line.split(' ');
  return {
    id,
    port: Number(/:(\d+)@/.exec(address)?.[1]),
    flags: new Set(flags.split(',')),
    masterId: masterId === '-' ? undefined : masterId,
    configEpoch: Number(epoch),
    isLinked: link === 'connected',
    slots: slots
      .filter((range) => !range.startsWith('['))
      .map((range) => {
        const [first, last = first] = range.split('-').map(Number);
        return [first ?? 0, last ?? 0] as const;
      }),
  };
}
