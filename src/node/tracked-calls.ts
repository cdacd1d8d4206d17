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
  #isScript = false;
  /** Keys that the call of a script says it may use. */
  #declared: readonly string[] = [];

  constructor(host: TrackedCallHost) {
    this.#host = host;
  }

  begin(session: Session, command: Command<Context>, request: Request): void {
    this.#caller = session;
    this.#isScript = (command.flags & FLAG_SCRIPT) !== 0;
    if (this.#isScript) this.#declared = keysOf(command, request);
    this.#host.keyspace.isWatched = true;
  }

  /** Messages that concern the caller wait for the end of the outermost call. */
  end(call: {
    readonly session: Session;
    readonly command: Command<Context>;
    readonly request: Request;
    readonly isOutermost: boolean;
    /** It has waited: what it reads was remembered when it began to. */
    readonly isAgain: boolean;
  }): void {
    const { session, command, request } = call;
    const { tracking, settings } = this.#host;
    const wanted = session.tracking;
    if (wanted !== undefined && command.fullName !== 'client|caching') {
      // Of a script, what it reads counts, and not what it says it might.
      const isRead = (command.flags & (FLAG_READONLY | FLAG_SCRIPT)) === FLAG_READONLY;
      if (isRead && !call.isAgain) this.#remember(session, keysOf(command, request));
      // CLIENT CACHING is about the next command, or the whole next transaction.
      if (session.queue === undefined) wanted.caching = undefined;
    }
    if (!call.isOutermost) return;
    this.#caller = undefined;
    this.#isScript = false;
    tracking.shrink(settings['tracking-table-max-keys']);
    tracking.flush();
  }

  touched(buf: Uint8Array, at: number, size: number): void {
    const { tracking } = this.#host;
    if (!tracking.isUsed) return;
    const key = Buffer.from(buf.subarray(at, at + size)).toString('latin1');
    tracking.invalidate(key, this.#caller, this.#isScript);
  }

  replaced(): void {
    const { tracking } = this.#host;
    if (!tracking.isUsed) return;
    tracking.invalidateAll();
    if (this.#caller === undefined) tracking.flush();
  }

  /** A script has run a command. If that reads, its caller keeps copies of the keys that the call declared. */
  endInScript(command: Command<Context>): void {
    if ((command.flags & FLAG_READONLY) === 0 || this.#caller?.tracking === undefined) return;
    this.#remember(this.#caller, this.#declared);
  }

  #remember(session: Session, keys: readonly string[]): void {
    for (const key of keys) this.#host.tracking.remember(session, key);
  }
}

function keysOf(command: Command<Context>, request: Request): readonly string[] {
  return (command.keyIndexes(request) ?? []).map((i) => request.text(i));
}
