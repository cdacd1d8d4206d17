/**
 * The end of a node that was asked for, by SHUTDOWN or a signal: writes wait while the replicas catch up, then the data
 * is saved. Source: behaviour and log lines of redis-server 7.0.15.
 */
import { type MonoMs, addMs } from '../base/index.ts';
import {
  type EndFlags,
  type EndingService,
  type LogLevel,
  type Session,
  errors,
} from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { ReplicaSession } from '../replication/index.ts';

export interface EndingHost {
  readonly settings: Settings;
  readonly debug: { readonly isCronPaused: boolean };
  /** A script has begun and goes on in later turns. */
  readonly isInScript: boolean;
  readonly now: MonoMs;
  readonly clients: { pauseForEnd(): void; unpauseForEnd(): void };
  readonly replication: {
    readonly history: { readonly masterReplOffset: number };
    readonly source: {
      replicas(): readonly ReplicaSession[];
      nameOf(session: ReplicaSession): string;
    };
    requestAcks(): void;
  };
  readonly persistence: {
    saveAtEnd(): boolean;
    readonly aof: { readonly isWritingFirstBase: boolean };
  };
  log(level: LogLevel, text: string): void;
  rearm(): void;
  /** Lets a client go on that waited for the end. */
  unblockSession(session: Session): void;
  /** The node ends with the current turn. */
  endNow(): void;
}

const SIGNAL_FAILED =
  'SIGTERM received but errors trying to shut down the server, check the logs for more information';

interface Waiting {
  readonly flags: EndFlags;
  readonly deadline: MonoMs;
  readonly sessions: Set<Session>;
}

export class Ending implements EndingService {
  readonly #host: EndingHost;
  #waiting: Waiting | undefined;
  /** A signal asked for the end, which is not begun yet. */
  #asked: EndFlags | undefined;

  constructor(host: EndingHost) {
    this.#host = host;
  }

  get remainingMs(): number | undefined {
    if (this.#waiting === undefined) return undefined;
    return Math.max(0, this.#waiting.deadline - this.#host.now);
  }

  begin(flags: EndFlags, session?: Session): boolean {
    const host = this.#host;
    if (this.#waiting !== undefined && !flags.isNow) {
      if (session !== undefined) this.#block(this.#waiting, session);
      return true;
    }
    host.log('warning', 'User requested shutdown...');
    const timeoutMs = host.settings['shutdown-timeout'] * 1000;
    if (flags.isNow || timeoutMs === 0 || this.#lagging().length === 0) return this.#finish(flags);
    host.log('notice', 'Waiting for replicas before shutting down.');
    host.clients.pauseForEnd();
    this.#waiting = { flags, deadline: addMs(host.now, timeoutMs), sessions: new Set() };
    if (session !== undefined) this.#block(this.#waiting, session);
    host.replication.requestAcks();
    host.rearm();
    return true;
  }

  /** A signal asks for the end: it begins with the turn's end, as in Redis not while the cron is paused or a script runs. */
  ask(flags: EndFlags): void {
    this.#asked = flags;
  }

  abort(): boolean {
    if (!this.isPending) return false;
    this.#asked = undefined;
    this.#host.log('notice', 'Shutdown manually aborted.');
    this.#cancel();
    return true;
  }

  /** Whether the end was asked for and `check` may have something to do. */
  get isPending(): boolean {
    return this.#waiting !== undefined || this.#asked !== undefined;
  }

  /** Begins what a signal asked for, and goes on when the replicas are there or took too long. */
  check(): void {
    const asked = this.#asked;
    if (asked !== undefined && !this.#host.debug.isCronPaused && !this.#host.isInScript) {
      this.#asked = undefined;
      if (!this.begin(asked)) this.#host.log('warning', SIGNAL_FAILED);
    }
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    if (this.#host.now >= waiting.deadline || this.#lagging().length === 0) {
      this.#finish(waiting.flags);
    }
  }

  nextWake(): MonoMs | undefined {
    return this.#waiting?.deadline;
  }

  forget(session: Session): void {
    this.#waiting?.sessions.delete(session);
  }

  #block(waiting: Waiting, session: Session): void {
    session.blocked = { kind: 'outside', deadline: undefined };
    waiting.sessions.add(session);
  }

  #lagging(): readonly ReplicaSession[] {
    const { history, source } = this.#host.replication;
    return source.replicas().filter((replica) => replica.ackOffset < history.masterReplOffset);
  }

  #finish(flags: EndFlags): boolean {
    this.#reportReplicas();
    if (this.#mayEnd(flags)) {
      // The turns that follow, as connections close, must not end and save it again.
      this.#waiting = undefined;
      this.#host.endNow();
      return true;
    }
    this.#host.log(
      'warning',
      'Errors trying to shut down the server. Check the logs for more information.',
    );
    this.#cancel();
    return false;
  }

  #reportReplicas(): void {
    const host = this.#host;
    const { history, source } = host.replication;
    const lagging = this.#lagging();
    for (const replica of lagging) {
      const offset = history.masterReplOffset - replica.ackOffset;
      const lag = Math.floor((host.now - replica.ackTime) / 1000);
      const { state } = replica;
      host.log(
        'warning',
        `Lagging replica ${source.nameOf(replica)} reported offset ${offset} behind master, lag=${lag}, state=${state}.`,
      );
    }
    const count = source.replicas().length;
    if (count === 0) return;
    host.log(
      'notice',
      `${count - lagging.length} of ${count} replicas are in sync when shutting down.`,
    );
  }

  #mayEnd({ save, isForced }: EndFlags): boolean {
    const host = this.#host;
    const { persistence, settings } = host;
    if (persistence.aof.isWritingFirstBase) {
      if (!isForced) {
        host.log('warning', "Writing initial AOF, can't exit");
        return false;
      }
      host.log('warning', 'Writing initial AOF. Exit anyway.');
    }
    const maySave = save === 'yes' || (save === 'asConfigured' && settings.save.length > 0);
    return !maySave || persistence.saveAtEnd() || isForced;
  }

  #cancel(): void {
    const { clients } = this.#host;
    const sessions = this.#waiting?.sessions ?? [];
    this.#waiting = undefined;
    clients.unpauseForEnd();
    for (const session of sessions) {
      session.reply.error(errors.ERR_SHUTDOWN);
      this.#host.unblockSession(session);
    }
  }
}
