/** The connections that are replicas or about to become one, and the questions asked of all of them together. */
import type { MonoMs } from '../base/index.ts';
import { type ClientNumber, type ReplicaSession, createSession, isReplica } from './session.ts';
import type { Peer } from './source-types.ts';

export class ReplicaSet {
  readonly #sessions: Map<ClientNumber, ReplicaSession> = new Map();
  /** Those that get the stream; kept apart because every write walks them. */
  #online: ReplicaSession[] = [];

  get online(): readonly ReplicaSession[] {
    return this.#online;
  }

  all(): readonly ReplicaSession[] {
    return [...this.#sessions.values()];
  }

  /** All that asked for data, in the order they came. */
  replicas(): readonly ReplicaSession[] {
    return this.all().filter(isReplica);
  }

  get replicaCount(): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (isReplica(session)) count++;
    return count;
  }

  find(client: ClientNumber): ReplicaSession | undefined {
    return this.#sessions.get(client);
  }

  /** That of the connection; a new one is not part of the set until `add`. */
  findOrCreate(peer: Peer, now: MonoMs): ReplicaSession {
    return this.#sessions.get(peer.client) ?? createSession(peer.client, peer.ip, now);
  }

  add(session: ReplicaSession): void {
    this.#sessions.set(session.client, session);
  }

  remove(session: ReplicaSession): void {
    this.#sessions.delete(session.client);
    this.#online = this.#online.filter((other) => other !== session);
  }

  putOnline(session: ReplicaSession, now: MonoMs): void {
    session.state = 'online';
    session.ackTime = now;
    this.#online.push(session);
  }

  /** The oldest byte of the stream that somebody has still to be given; Infinity when nobody waits for any. */
  neededFrom(): number {
    let from = Infinity;
    for (const { nextOffset } of this.#sessions.values()) {
      if (nextOffset !== undefined && nextOffset < from) from = nextOffset;
    }
    return from;
  }

  /** Those whose snapshot has not begun. */
  waiting(): readonly ReplicaSession[] {
    return this.all().filter((session) => session.state === 'waitSnapshot');
  }

  /** Whether a connection introduced itself less than `withinMs` ago and has not asked for data yet. */
  isAnyoneComing(now: MonoMs, withinMs: number): boolean {
    for (const session of this.#sessions.values()) {
      if (session.state === 'handshake' && now - session.since < withinMs) return true;
    }
    return false;
  }

  /** Online replicas whose last acknowledgement is at most this old. */
  goodCount(now: MonoMs, maxLagSeconds: number): number {
    let count = 0;
    for (const session of this.#online) {
      if (Math.floor((now - session.ackTime) / 1000) <= maxLagSeconds) count++;
    }
    return count;
  }

  /** Online replicas that have applied the stream up to `offset`. */
  acknowledgedCount(offset: number): number {
    let count = 0;
    for (const session of this.#online) if (session.ackOffset >= offset) count++;
    return count;
  }
}
