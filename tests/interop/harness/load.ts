/**
 * Writers that follow redirections and remember every write the cluster acknowledged, so that a test can ask
 * afterwards for each of them. One key a write: nothing hides behind a later value.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { SLOT_COUNT, keySlot } from '../../../src/base/index.ts';
import type { Cluster, NodeRecord } from './cluster.ts';
import { type Reply, ReplyError, RespConnection } from './resp-connection.ts';

/** Between two writes of one writer: enough writes to meet every moment, few enough to read all of them back. */
const WRITE_PERIOD_MS = 1;
const RETRY_MS = 5;
const READ_BATCH = 500;
const WAIT_TIMEOUT_MS = 500;

export interface LoadOptions {
  readonly writers?: number;
  /** Writes only to slots in [first, last]; default all. */
  readonly slots?: readonly [first: number, last: number];
  /** Counts a write only when WAIT says that a replica has it too: what survives a kill -9. */
  readonly needsReplica?: boolean;
  /** Part of its keys' names, so that those of an earlier load do not hide a loss; default none. */
  readonly name?: string;
}

export class WriteLoad {
  readonly #cluster: Cluster;
  readonly #needsReplica: boolean;
  readonly #name: string;
  readonly #acknowledged: Map<string, string> = new Map();
  readonly #writers: Promise<void>[];
  readonly #refusals: Map<string, number> = new Map();
  #isStopped = false;
  #longestGapMs = 0;

  constructor(cluster: Cluster, options: LoadOptions = {}) {
    const { writers = 4, slots = [0, SLOT_COUNT - 1], needsReplica = false, name = '' } = options;
    this.#cluster = cluster;
    this.#needsReplica = needsReplica;
    this.#name = name;
    this.#writers = Array.from({ length: writers }, (_, id) => this.#write(id, slots));
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size;
  }

  /** The longest time in which one writer had no write acknowledged. */
  get longestGapMs(): number {
    return this.#longestGapMs;
  }

  /** Error replies and lost connections by their first word, for a look when a test fails. */
  get refusals(): ReadonlyMap<string, number> {
    return this.#refusals;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#writers);
  }

  /** Acknowledged writes that the cluster no longer has, read from the masters. Stop the writers before. */
  async missing(): Promise<string[]> {
    const [contact] = this.#cluster.running;
    if (contact === undefined) throw new Error('Cannot read back: no node runs');
    const portOf = ownerPorts(await this.#cluster.view(contact));
    const byPort = new Map<number, string[]>();
    for (const key of this.#acknowledged.keys()) {
      const port = portOf(slotOf(key));
      const keys = byPort.get(port) ?? [];
      keys.push(key);
      byPort.set(port, keys);
    }
    const missing: string[] = [];
    for (const [port, keys] of byPort) missing.push(...(await this.#missingOn(port, keys)));
    return missing;
  }

  async #missingOn(port: number, keys: readonly string[]): Promise<string[]> {
    const connection = await RespConnection.open(port);
    const missing: string[] = [];
    for (let at = 0; at < keys.length; at += READ_BATCH) {
      const batch = keys.slice(at, at + READ_BATCH);
      const values = await Promise.all(batch.map((key) => connection.call('GET', key)));
      missing.push(...batch.filter((key, i) => values[i] !== this.#acknowledged.get(key)));
    }
    connection.close();
    return missing;
  }

  async #write(id: number, slots: readonly [number, number]): Promise<void> {
    const connections = new Map<number, RespConnection>();
    const tag = tagIn(slots, id);
    let port = this.#anyPort(id);
    let lastAck = performance.now();
    for (let n = 0; !this.#isStopped;) {
      const key = `{${tag}}:${this.#name}${id}:${n}`;
      const answer = await this.#attempt(connections, port, key, String(n));
      if (answer === 'acknowledged') {
        this.#acknowledged.set(key, String(n));
        const now = performance.now();
        this.#longestGapMs = Math.max(this.#longestGapMs, now - lastAck);
        lastAck = now;
        n++;
        await pause(WRITE_PERIOD_MS);
      } else if (typeof answer === 'number') {
        port = answer;
      } else {
        if (answer === 'otherNode') port = this.#anyPort(n + Math.floor(performance.now()));
        await pause(RETRY_MS);
      }
    }
    for (const connection of connections.values()) connection.close();
  }

  /** A port is where to go instead; an unconfirmed write is written again, which does not harm it. */
  async #attempt(
    connections: Map<number, RespConnection>,
    port: number,
    key: string,
    value: string,
  ): Promise<'acknowledged' | 'again' | 'otherNode' | number> {
    try {
      const connection = await connectionTo(connections, port);
      await connection.call('SET', key, value);
      if (!this.#needsReplica) return 'acknowledged';
      const replicas: Reply = await connection.call('WAIT', 1, WAIT_TIMEOUT_MS);
      return Number(replicas) >= 1 ? 'acknowledged' : 'again';
    } catch (error) {
      const reason = this.#note(error);
      const moved = /^MOVED \d+ \S*:(\d+)$/.exec(reason);
      if (moved !== null) return Number(moved[1]);
      const ask = /^ASK \d+ \S*:(\d+)$/.exec(reason);
      if (ask !== null) return this.#askThere(connections, Number(ask[1]), key, value);
      return error instanceof ReplyError ? 'again' : 'otherNode';
    }
  }

  /** The slot is on its way to another node, which takes this one command because ASKING comes before it. */
  async #askThere(
    connections: Map<number, RespConnection>,
    port: number,
    key: string,
    value: string,
  ): Promise<'acknowledged' | 'again'> {
    try {
      const connection = await connectionTo(connections, port);
      const [, reply] = await Promise.all([
        connection.call('ASKING'),
        connection.call('SET', key, value),
      ]);
      return reply === 'OK' ? 'acknowledged' : 'again';
    } catch (error) {
      this.#note(error);
      return 'again';
    }
  }

  #note(error: unknown): string {
    const reason = error instanceof Error ? error.message : String(error);
    const word = reason.split(' ', 1)[0] ?? '';
    this.#refusals.set(word, (this.#refusals.get(word) ?? 0) + 1);
    return reason;
  }

  #anyPort(dice: number): number {
    const { running } = this.#cluster;
    return running[dice % running.length]?.port ?? 0;
  }
}

async function connectionTo(
  connections: Map<number, RespConnection>,
  port: number,
): Promise<RespConnection> {
  let connection = connections.get(port);
  if (connection === undefined || !connection.isOpen) {
    connection = await RespConnection.open(port);
    connections.set(port, connection);
  }
  return connection;
}

/** Slot of a key. */
export function slotOf(key: string): number {
  const bytes = Buffer.from(key);
  return keySlot(bytes, 0, bytes.length);
}

const TAGS_TRIED = 10_000_000;

/** The `index`-th short hash tag whose slot lies in [first, last]. */
export function tagIn([first, last]: readonly [number, number], index: number): string {
  for (let n = 0, found = 0; n < TAGS_TRIED; n++) {
    const tag = `t${n}`;
    const slot = slotOf(tag);
    if (slot >= first && slot <= last && found++ === index) return tag;
  }
  throw new Error(`No tag has its slot in ${first} to ${last}`);
}

function ownerPorts(view: readonly NodeRecord[]): (slot: number) => number {
  return (slot) => {
    const owner = view.find(({ slots }) => slots.some(([a, b]) => slot >= a && slot <= b));
    if (owner === undefined) throw new Error(`Cannot read slot ${slot}: nobody serves it`);
    return owner.port;
  };
}
