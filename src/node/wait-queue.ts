/**
 * Clients that wait: for replicas to acknowledge what they wrote (WAIT), or for keys (BLPOP, XREAD
 * and their like). Each is answered once: served, at the end of its time, by CLIENT UNBLOCK, or
 * because the node is not what it was.
 */
import type { MonoMs } from '../base/index.ts';
import type { Blocked, BlockedOnKeys, Command, KeyWait, Session } from '../commands/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import { type Request, encodeRequest } from '../resp/index.ts';
import { KeyQueues, type Rerun } from './key-queues.ts';

type BlockedByWait = Extract<Blocked, { kind: 'wait' }>;
type Waiting = BlockedByWait | BlockedOnKeys;

/** Source: 7.0 blocked.c, disconnectAllBlockedClients(). */
const ERR_ROLE_CHANGED =
  'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)';
const ERR_UNBLOCKED = 'UNBLOCKED client unblocked via CLIENT UNBLOCK';

export interface WaitHost {
  readonly keyspace: Keyspace;
  /** Replicas that acknowledged the stream up to `offset`. */
  acknowledgedCount(offset: number): number;
  /** The client was answered and goes on. */
  unblock(session: Session): void;
  /** A deadline came that may be nearer than all others. */
  rearm(): void;
  /** A waiting call ended with an error. */
  countRefused(command: Command, error: string): void;
}

export class WaitQueue {
  readonly #host: WaitHost;
  readonly #waiting: Map<Session, Waiting> = new Map();
  readonly #keys: KeyQueues;
  /** No deadline is before this; undefined when there is none at all. */
  #earliest: MonoMs | undefined;

  constructor(host: WaitHost) {
    this.#host = host;
    this.#keys = new KeyQueues(() => host.keyspace);
  }

  /** Whether keys became ready that clients wait for. */
  get hasReady(): boolean {
    return this.#keys.hasReady;
  }

  add(session: Session, blocked: Waiting): void {
    session.blocked = blocked;
    this.#waiting.set(session, blocked);
    if (blocked.kind === 'keys') this.#keys.add(session, blocked);
    const { deadline } = blocked;
    if (deadline === undefined || (this.#earliest ?? Infinity) <= deadline) return;
    this.#earliest = deadline;
    this.#host.rearm();
  }

  /** The client's call waits for keys of its request. */
  blockOnKeys(session: Session, command: Command, request: Request, wait: KeyWait): void {
    const keys = new Map<string, { readonly key: Buffer; readonly argument: number }>();
    for (let i = wait.firstKey; i < wait.firstKey + wait.keyCount; i++) {
      const text = request.text(i);
      if (!keys.has(text)) keys.set(text, { key: request.copy(i), argument: i });
    }
    this.add(session, {
      kind: 'keys',
      type: wait.type,
      deadline: wait.deadline,
      command,
      bytes:
        wait.rerun === undefined
          ? Buffer.from(request.buf.subarray(request.start, request.end))
          : encodeRequest(wait.rerun),
      keys: [...keys.values()],
    });
  }

  /** The client is gone or has been answered. */
  remove(session: Session): void {
    const blocked = this.#waiting.get(session);
    if (blocked === undefined) return;
    this.#waiting.delete(session);
    session.blocked = undefined;
    if (blocked.kind === 'keys') this.#keys.remove(session, blocked);
  }

  /** A key became ready, or (a stream) is gone. */
  signal(dbIndex: number, buf: Uint8Array, at: number, size: number): void {
    this.#keys.signal(dbIndex, buf, at, size);
  }

  /** A database was replaced whole. */
  signalAll(dbIndex: number): void {
    this.#keys.signalAll(dbIndex);
  }

  /** Runs again what waits for keys that are ready now; returns who was answered. */
  serveReady(rerun: Rerun): readonly Session[] {
    const served: Session[] = [];
    this.#keys.serve((session, blocked, argument) => {
      if (!rerun(session, blocked, argument)) return false;
      this.remove(session);
      this.#host.unblock(session);
      served.push(session);
      return true;
    });
    return served;
  }

  /** Answers those whose replicas are enough now. */
  acknowledged(): void {
    for (const [session, blocked] of this.#waiting) {
      if (blocked.kind !== 'wait') continue;
      const count = this.#host.acknowledgedCount(blocked.replOffset);
      if (count < blocked.replicas) continue;
      session.reply.int(count);
      this.#end(session);
    }
  }

  /** Answers those whose time is over with what there is. */
  tick(now: MonoMs): void {
    if (this.#earliest === undefined || now < this.#earliest) return;
    this.#earliest = undefined;
    for (const [session, blocked] of this.#waiting) {
      const { deadline } = blocked;
      if (deadline === undefined) continue;
      if (now >= deadline) this.#timeOut(session, blocked);
      else if (this.#earliest === undefined || deadline < this.#earliest) this.#earliest = deadline;
    }
  }

  /** Until then nothing is to be done; it may come too early. */
  nextDeadline(): MonoMs | undefined {
    return this.#earliest;
  }

  /** CLIENT UNBLOCK: as if the time were over, or with an error; false when the client does not wait. */
  unblock(session: Session, reason: 'timeout' | 'error'): boolean {
    const blocked = this.#waiting.get(session);
    if (blocked === undefined) return false;
    if (reason === 'timeout') this.#timeOut(session, blocked);
    else this.#refuse(session, blocked, ERR_UNBLOCKED);
    return true;
  }

  /** Answers those who wait for keys and for whom `refusal` has a text. */
  refuseKeys(refusal: (session: Session, blocked: BlockedOnKeys) => string | undefined): void {
    for (const [session, blocked] of this.#waiting) {
      if (blocked.kind !== 'keys') continue;
      const text = refusal(session, blocked);
      if (text !== undefined) this.#refuse(session, blocked, text);
    }
  }

  /** The node is no master any more: nobody will acknowledge or push what these clients wait for. */
  refuseAll(): void {
    for (const session of [...this.#waiting.keys()]) {
      this.remove(session);
      session.reply.error(ERR_ROLE_CHANGED);
      session.closeAfterReply();
    }
  }

  #timeOut(session: Session, blocked: Waiting): void {
    if (blocked.kind === 'wait') {
      session.reply.int(this.#host.acknowledgedCount(blocked.replOffset));
    } else session.reply.nullArray();
    this.#end(session);
  }

  #refuse(session: Session, blocked: Waiting, error: string): void {
    session.reply.error(error);
    if (blocked.kind === 'keys') this.#host.countRefused(blocked.command, error);
    this.#end(session);
  }

  #end(session: Session): void {
    this.remove(session);
    this.#host.unblock(session);
  }
}
