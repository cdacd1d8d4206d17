/**
 * Who waits for which keys, in order of arrival, and which of these keys became ready. After the
 * running command or transaction the waiting commands are run again, key by key in the order in
 * which the keys became ready; what they push themselves may make further keys ready.
 * Source: behaviour of redis-server 7.0.15.
 */
import type { BlockedOnKeys, Session } from '../commands/index.ts';
import {
  type Keyspace,
  LOOKUP_NO_TOUCH,
  LOOKUP_WRITE,
  NONE,
  TYPE_STREAM,
} from '../keyspace/index.ts';
import { keyName } from './key-name.ts';

/** No key, and so no type. */
const NO_TYPE = -1;

/** The clients at one key. */
interface Queue {
  readonly dbIndex: number;
  readonly key: Buffer;
  /** With the argument of each one's request that is the key; in order of arrival. */
  readonly sessions: Map<Session, number>;
  isReady: boolean;
}

/** Runs the command of a waiting client again for one key; whether the client was answered. */
export type Rerun = (session: Session, blocked: BlockedOnKeys, argument: number) => boolean;

export class KeyQueues {
  readonly #keyspace: () => Keyspace;
  readonly #byName: Map<string, Queue> = new Map<string, Queue>();
  /** Waiting clients by the type that they wait for. */
  readonly #counts: number[] = [];
  #ready: Queue[] = [];

  constructor(keyspace: () => Keyspace) {
    this.#keyspace = keyspace;
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  add(session: Session, blocked: BlockedOnKeys): void {
    const { dbIndex } = session;
    for (const { key, argument } of blocked.keys) {
      const name = keyName(dbIndex, key, 0, key.length);
      let queue = this.#byName.get(name);
      if (queue === undefined) {
        queue = { dbIndex, key, sessions: new Map(), isReady: false };
        this.#byName.set(name, queue);
      }
      queue.sessions.set(session, argument);
    }
    this.#count(blocked.type, 1);
  }

  remove(session: Session, blocked: BlockedOnKeys): void {
    for (const { key } of blocked.keys) {
      const name = keyName(session.dbIndex, key, 0, key.length);
      const queue = this.#byName.get(name);
      queue?.sessions.delete(session);
      if (queue?.sessions.size === 0) this.#byName.delete(name);
    }
    this.#count(blocked.type, -1);
  }

  /** A key is worth a look. */
  signal(dbIndex: number, buf: Uint8Array, at: number, size: number): void {
    const queue = this.#byName.get(keyName(dbIndex, buf, at, size));
    if (queue !== undefined) this.#mark(queue);
  }

  /** Any key of a database may have come or gone. */
  signalAll(dbIndex: number): void {
    for (const queue of this.#byName.values()) if (queue.dbIndex === dbIndex) this.#mark(queue);
  }

  /** Runs what waits for the ready keys, until none is left. */
  serve(rerun: Rerun): void {
    while (this.#ready.length > 0) {
      const ready = this.#ready;
      this.#ready = [];
      for (const queue of ready) {
        queue.isReady = false;
        this.#serveKey(queue, rerun);
      }
    }
  }

  /** A client that was answered is not back in the queue before this ends: it goes on when the turn does. */
  #serveKey(queue: Queue, rerun: Rerun): void {
    let type = this.#typeOf(queue);
    for (const [session, argument] of queue.sessions) {
      const { blocked } = session;
      if (blocked?.kind !== 'keys') continue;
      // Readers of a consumer group hear of it when their stream is gone.
      if (blocked.type !== type && blocked.type !== TYPE_STREAM) continue;
      if (!rerun(session, blocked, argument)) continue;
      type = this.#typeOf(queue);
      if (type === NO_TYPE && (this.#counts[TYPE_STREAM] ?? 0) === 0) return;
    }
  }

  #typeOf({ dbIndex, key }: Queue): number {
    const db = this.#keyspace().db(dbIndex);
    const ref = db.lookup(key, 0, key.length, LOOKUP_WRITE | LOOKUP_NO_TOUCH);
    return ref === NONE ? NO_TYPE : db.entries.type(ref);
  }

  #mark(queue: Queue): void {
    if (queue.isReady) return;
    queue.isReady = true;
    this.#ready.push(queue);
  }

  #count(type: number, change: number): void {
    const count = (this.#counts[type] ?? 0) + change;
    this.#counts[type] = count;
    const keyspace = this.#keyspace();
    if (count > 0) keyspace.awaitedTypes |= 1 << type;
    else keyspace.awaitedTypes &= ~(1 << type);
  }
}
