/** What a handler gets: the server, the client, its database, and how the call propagates. */
import type { Database } from '../keyspace/index.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import type { Command } from './table.ts';

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
