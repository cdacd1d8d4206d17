/** A master, two replicas and Sentinels of real processes, each of any server's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeProcess, freePorts } from './node-process.ts';
import { until } from './until.ts';

export const MASTER_NAME = 'mymaster';
/** As short as makes no difference between the servers' own timers. */
const DOWN_AFTER_MS = 1000;
const QUORUM = 2;
const REPLICA_COUNT = 2;
const DISCOVERY_BOUND_MS = 30_000;

export interface SentinelsOptions {
  /** Executable of every node. */
  readonly node: string;
  /** Executable of each Sentinel. */
  readonly sentinels: readonly string[];
  /** Whether all of them speak nothing but TLS. */
  readonly isTls?: boolean;
}

export class Sentinels {
  readonly nodes: NodeProcess[] = [];
  readonly sentinels: NodeProcess[] = [];
  readonly #dir: string = mkdtempSync(join(tmpdir(), 'slotline-sentinels-'));
  readonly #isTls: boolean;

  private constructor(isTls: boolean) {
    this.#isTls = isTls;
  }

  /** Starts everything; done when every Sentinel knows all of it. */
  static async start(options: SentinelsOptions): Promise<Sentinels> {
    const set = new Sentinels(options.isTls === true);
    try {
      await set.#startNodes(options.node);
      await set.#startSentinels(options.sentinels);
    } catch (error) {
      const logs = [...set.nodes, ...set.sentinels].map(
        (process) => `--- ${process.port}\n${process.log().slice(-1500)}`,
      );
      await set.stop();
      throw new Error(`Cannot start Sentinels: ${String(error)}\n${logs.join('\n')}`);
    }
    return set;
  }

  get master(): NodeProcess {
    return this.nodes[0]!;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.nodes].map((each) => each.signal('SIGKILL')));
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** The master's port as one Sentinel tells clients. */
  async masterPort(sentinel: NodeProcess): Promise<number> {
    const reply = await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME);
    return Array.isArray(reply) ? Number(String(reply[1])) : 0;
  }

  async #startNodes(exe: string): Promise<void> {
    const ports = await freePorts(1 + REPLICA_COUNT);
    for (const [i, port] of ports.entries()) {
      const config = i === 0 ? [] : [`replicaof 127.0.0.1 ${ports[0]}`];
      const dir = join(this.#dir, String(port));
      this.nodes.push(new NodeProcess({ exe, port, dir, config, isTls: this.#isTls }));
    }
    await Promise.all(this.nodes.map((node) => node.start()));
    await until(
      async () =>
        (await this.master.facts('INFO', 'replication')).get('connected_slaves') ===
        String(REPLICA_COUNT),
      DISCOVERY_BOUND_MS,
      'the replicas follow',
    );
  }

  async #startSentinels(exes: readonly string[]): Promise<void> {
    const ports = await freePorts(exes.length);
    for (const [i, port] of ports.entries()) {
      const config = [
        `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${this.master.port} ${QUORUM}`,
        `sentinel down-after-milliseconds ${MASTER_NAME} ${DOWN_AFTER_MS}`,
        `sentinel failover-timeout ${MASTER_NAME} 10000`,
      ];
      const dir = join(this.#dir, String(port));
      this.sentinels.push(
        new NodeProcess({ exe: exes[i]!, port, dir, config, isTls: this.#isTls }),
      );
    }
    await Promise.all(this.sentinels.map((sentinel) => sentinel.start()));
    const all = `status=ok,address=127.0.0.1:${this.master.port},slaves=${REPLICA_COUNT},sentinels=${exes.length}`;
    await until(
      async () => {
        const facts = await Promise.all(
          this.sentinels.map((sentinel) => sentinel.facts('INFO', 'sentinel')),
        );
        return facts.every((each) => each.get('master0')?.endsWith(all) === true);
      },
      DISCOVERY_BOUND_MS,
      'every Sentinel knows all replicas and Sentinels',
    );
  }
}
