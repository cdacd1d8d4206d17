/** Clients that WAIT for replicas to acknowledge what they wrote. */
import type { MonoMs } from '../base/index.ts';
import type { Blocked, Session } from '../commands/index.ts';

type BlockedByWait = Extract<Blocked, { kind: 'wait' }>;

/** Source: 7.0 blocked.c, disconnectAllBlockedClients(). */
const ERR_ROLE_CHANGED =
  'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)';

export interface WaitHost {
  /** Replicas that acknowledged the stream up to `offset`. */
  acknowledgedCount(offset: number): number;
  /** The client was answered and goes on. */
  unblock(session: Session): void;
}

export class WaitQueue {
  readonly #host: WaitHost;
  readonly #waiting: Map<Session, BlockedByWait> = new Map();

  constructor(host: WaitHost) {
    this.#host = host;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(session: Session, blocked: BlockedByWait): void {
    session.blocked = blocked;
    this.#waiting.set(session, blocked);
  }

  remove(session: Session): void {
    this.#waiting.delete(session);
  }

  /** Answers those whose replicas are enough now. */
  acknowledged(): void {
    for (const [session, blocked] of this.#waiting) {
      const count = this.#host.acknowledgedCount(blocked.replOffset);
      if (count >= blocked.replicas) this.#answer(session, count);
    }
  }

  /** Answers those whose time is over with what there is. */
  tick(now: MonoMs): void {
    for (const [session, { deadline, replOffset }] of this.#waiting) {
      if (deadline === undefined || now < deadline) continue;
      this.#answer(session, this.#host.acknowledgedCount(replOffset));
    }
  }

  nextDeadline(): MonoMs | undefined {
    let next: MonoMs | undefined;
    for (const { deadline } of this.#waiting.values()) {
      if (deadline !== undefined && (next === undefined || deadline < next)) next = deadline;
    }
    return next;
  }

  /** The node is no master any more: nobody will acknowledge what these clients wrote. */
  refuseAll(): void {
    for (const session of [...this.#waiting.keys()]) {
      this.#waiting.delete(session);
      session.blocked = undefined;
      session.reply.error(ERR_ROLE_CHANGED);
      session.closeAfterReply();
    }
  }

  #answer(session: Session, count: number): void {
    const isOurs = this.#waiting.get(session) === session.blocked;
    this.#waiting.delete(session);
    // Somebody else, such as CLIENT UNBLOCK, answered already.
    if (!isOurs) return;
    session.blocked = undefined;
    session.reply.int(count);
    this.#host.unblock(session);
  }
}
