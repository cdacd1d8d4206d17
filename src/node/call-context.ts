/** The context of the call that is running; see `Context` for what handlers may do with it. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import type { Command, Context, KeyWait, Server, Session } from '../commands/index.ts';
import type { Database } from '../keyspace/index.ts';
import type { Request } from '../resp/index.ts';
import { FEED_ALL } from './propagation.ts';
import type { WaitQueue } from './wait-queue.ts';

/** A command to pass on, as arguments. */
export interface Propagated {
  readonly dbIndex: number;
  readonly args: readonly (Buffer | string)[];
}

/** What a call leaves at the node. */
interface CallSink {
  readonly isListening: boolean;
  readonly waits: WaitQueue;
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
  readyArgument = 0;
  /** The call waits for keys instead of having answered. */
  hasBlocked = false;
  /** The call goes on in later turns. */
  isSuspended = false;
  /** To whom its changes go: FEED_ bits. */
  targets: number = FEED_ALL;
  /** The error that it answers has been counted. */
  isErrorCounted = false;
  /** As things stood when it began. */
  dbIndex = 0;
  dirty = 0;
  errorCount = 0;
  /** All its changes go on together. */
  isUnit = false;

  readonly #sink: CallSink;

  constructor(server: Server & CallSink) {
    this.server = server;
    this.#sink = server;
  }

  begin(session: Session, command: Command): void {
    this.session = session;
    this.command = command;
    const { keyspace } = this.server;
    this.dbIndex = session.dbIndex;
    this.db = keyspace.databases[session.dbIndex]!;
    this.dirty = keyspace.dirty;
    this.errorCount = session.reply.errorCount;
    this.rewritten = undefined;
    if (this.extra.length > 0) this.extra.length = 0;
    this.isPrevented = false;
    this.isForced = false;
    this.hasRunQueue = false;
    this.hasBlocked = false;
  }

  get mayBlock(): boolean {
    const { queue, role } = this.session;
    return queue === undefined && role === 'normal';
  }

  blockOnKeys(request: Request, wait: KeyWait): void {
    this.hasBlocked = true;
    // A call that is run again keeps its place in the queues and its deadline.
    if (this.readyArgument !== 0) return;
    this.#sink.waits.blockOnKeys(this.session, this.command, request, wait);
  }

  suspend(): void {
    this.isSuspended = true;
  }

  noteErrorCounted(): void {
    this.isErrorCounted = true;
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
