/** Client-side caching around a call: what the client read is remembered, what changed is told. */
import {
  type Command,
  type Context,
  FLAG_READONLY,
  FLAG_SCRIPT,
  type Session,
  type TrackingTable,
} from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { Request } from '../resp/index.ts';

export interface TrackedCallHost {
  readonly tracking: TrackingTable;
  readonly settings: Settings;
  readonly keyspace: Keyspace;
}

/** Only called while some client tracks. */
export class TrackedCalls {
  readonly #host: TrackedCallHost;
  /** Whose command runs; it may not want to hear of its own changes. */
  #caller: Session | undefined;

  constructor(host: TrackedCallHost) {
    this.#host = host;
  }

  begin(session: Session): void {
    this.#caller = session;
    this.#host.keyspace.isWatched = true;
  }

  /** Messages wait for the end of the outermost call, so that a transaction's come together. */
  end(call: {
    readonly session: Session;
    readonly command: Command<Context>;
    readonly request: Request;
    readonly isOutermost: boolean;
  }): void {
    const { session, command, request } = call;
    const { tracking, settings } = this.#host;
    const wanted = session.tracking;
    if (wanted !== undefined && command.fullName !== 'client|caching') {
      this.read(session, command, request);
      // CLIENT CACHING is about the next command, or the whole next transaction.
      if (session.queue === undefined) wanted.caching = undefined;
    }
    if (!call.isOutermost) return;
    this.#caller = undefined;
    tracking.shrink(settings['tracking-table-max-keys']);
    tracking.flush();
  }

  touched(buf: Uint8Array, at: number, size: number): void {
    const { tracking } = this.#host;
    if (tracking.clientCount === 0) return;
    const key = Buffer.from(buf.subarray(at, at + size)).toString('latin1');
    tracking.invalidate(key, this.#caller);
    if (this.#caller === undefined) tracking.flush();
  }

  replaced(): void {
    const { tracking } = this.#host;
    if (tracking.clientCount === 0) return;
    tracking.invalidateAll();
    if (this.#caller === undefined) tracking.flush();
  }

  /** A command has run for a session, which may be the caller of a script. */
  read(session: Session, command: Command<Context>, request: Request): void {
    // Of a script, what it reads counts, and not what it says it might.
    const isRead = (command.flags & (FLAG_READONLY | FLAG_SCRIPT)) === FLAG_READONLY;
    if (session.tracking === undefined || !isRead) return;
    for (const i of command.keyIndexes(request) ?? []) {
      this.#host.tracking.remember(session, request.text(i));
    }
  }
}
