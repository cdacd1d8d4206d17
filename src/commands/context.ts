/** What a handler gets: the server, the client, its database, and how the call propagates. */
import type { MonoMs } from '../base/index.ts';
import type { Database } from '../keyspace/index.ts';
import type { Request } from '../resp/index.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import type { Command } from './table.ts';

/** What a call waits for. */
export interface KeyWait {
  /** Type number of the keys that can serve it. */
  readonly type: number;
  readonly firstKey: number;
  readonly keyCount: number;
  /** Undefined: for ever. */
  readonly deadline: MonoMs | undefined;
  /** What is run again, if not the request as it is; its keys stand where they stood. */
  readonly rerun?: readonly (Buffer | string)[];
}

/** One object a node, reused for every call; nothing of it may be kept. */
export interface Context {
  readonly server: Server;
  /** The client that called, or the link to our master. */
  readonly session: Session;
  /** The client's selected database. */
  readonly db: Database;
  readonly command: Command;
  /** Whether anybody could want what is passed on; if not, a hot command need not say it. */
  readonly isPropagated: boolean;
  /** Whether this call may wait; inside MULTI, or from our master, it answers as if its time were over. */
  readonly mayBlock: boolean;
  /**
   * 0, or the argument of the key that became ready, when a call that waited is run again: then it looks at this key
   * only, and calls `blockOnKeys` again if it still cannot be served. Calls that wait for streams are also run when
   * theirs is gone.
   */
  readonly readyArgument: number;
  /**
   * Instead of a reply: the client waits until one of its keys may serve it. The node keeps the request and the
   * client's place in the queue of each key, and answers nothing (a null array) when the time is over.
   */
  blockOnKeys(request: Request, wait: KeyWait): void;
  /**
   * The call goes on in later turns, as a script does that takes long: it ends, and its client goes on, when the node is
   * told that the script has ended.
   */
  suspend(): void;
  /** The error that the call answers has been counted where it arose. */
  noteErrorCounted(): void;
  /** The call goes on to replicas in this form instead of its own bytes (if it changed anything). */
  propagateAs(args: readonly (Buffer | string)[]): void;
  /** Something more goes on to replicas after the call itself. */
  alsoPropagate(dbIndex: number, args: readonly (Buffer | string)[]): void;
  /** The call does not go on to replicas, though it changed data. */
  preventPropagation(): void;
  /** The call goes on to replicas though it changed no data (PUBLISH, for one). */
  forcePropagation(): void;
  /**
   * A keyspace event about the key at (buf, at, size) of database `dbIndex` (default: the selected
   * one); `eventClass` is a bit of `KEYSPACE_EVENT`.
   */
  notify(
    eventClass: number,
    event: string,
    buf: Buffer,
    at: number,
    size: number,
    dbIndex?: number,
  ): void;
}
