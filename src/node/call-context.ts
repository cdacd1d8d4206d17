/** The context of the call that is running; see `Context` for what handlers may do with it. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import type { Command, Context, Server, Session } from '../commands/index.ts';
import type { Database } from '../keyspace/index.ts';

/** A command to pass on, as arguments. */
export interface Propagated {
  readonly dbIndex: number;
  readonly args: readonly (Buffer | string)[];
}

export class CallContext implements Context {
  readonly server: Server;
  session!: Session;
  db!: Database;
  command!: Command;
  rewritten: readonly (Buffer | string)[] | undefined;
  readonly extra: Propagated[] = [];
  isPrevented = false;
  isForced = false;
  /** EXEC ran what was queued. */
  hasRunQueue = false;

  readonly #sink: { readonly isListening: boolean };

  constructor(server: Server & { readonly isListening: boolean }) {
    this.server = server;
    this.#sink = server;
  }

  begin(session: Session, command: Command): void {
    this.session = session;
    this.command = command;
    this.db = this.server.keyspace.databases[session.dbIndex]!;
    this.rewritten = undefined;
    if (this.extra.length > 0) this.extra.length = 0;
    this.isPrevented = false;
    this.isForced = false;
    this.hasRunQueue = false;
  }

  get isPropagated(): boolean {
    return this.#sink.isListening;
  }

  propagateAs(args: readonly (Buffer | string)[]): void {
    this.rewritten = args;
  }

  alsoPropagate(dbIndex: number, args: readonly (Buffer | string)[]): void {
    this.extra.push({ dbIndex, args });
  }

  preventPropagation(): void {
    this.isPrevented = true;
  }

  forcePropagation(): void {
    this.isForced = true;
  }

  notify(
    eventClass: number,
    event: string,
    buf: Buffer,
    at: number,
    size: number,
    dbIndex: number = this.db.index,
  ): void {
    const wanted = this.server.settings['notify-keyspace-events'];
    if ((wanted & eventClass) === 0) return;
    notifyKeyspace(
      this.server,
      { wanted, event, dbIndex },
      Buffer.from(buf.subarray(at, at + size)),
    );
  }
}

/** Publishes a keyspace event on the channels that the configuration asks for. */
export function notifyKeyspace(
  server: Pick<Server, 'pubsub'>,
  what: { readonly wanted: number; readonly event: string; readonly dbIndex: number },
  key: Buffer,
): void {
  const { wanted, event, dbIndex } = what;
  if ((wanted & KEYSPACE_EVENT.K) !== 0) {
    const channel = Buffer.concat([Buffer.from(`__keyspace@${dbIndex}__:`), key]);
    server.pubsub.publish(channel, Buffer.from(event));
  }
  if ((wanted & KEYSPACE_EVENT.E) !== 0) {
    server.pubsub.publish(Buffer.from(`__keyevent@${dbIndex}__:${event}`), key);
  }
}
