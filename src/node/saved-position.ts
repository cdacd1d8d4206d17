/**
 * Where in which replication history the data of an RDB file stands: with it replicas go on after a restart of their
 * master, and a replica after its own, without a full synchronisation. Source: behaviour of redis-server 7.0.15.
 */
import { type Replid, isHexId, replid } from '../base/index.ts';
import type { Bytes } from '../rdb/index.ts';
import { encodeRequest } from '../resp/index.ts';

export interface SavedPosition {
  readonly replid: Replid;
  readonly replOffset: number;
  /** Database that the stream has selected there. */
  readonly streamDb: number;
  /** What a master's replicas must still hear: the deletion of keys whose time was over when they were loaded. */
  readonly deletions: readonly Deletion[];
}

export interface Deletion {
  readonly dbIndex: number;
  /** In canonical form. */
  readonly command: Buffer;
}

/** Puts a position together while a file is read. */
export class PositionReader {
  readonly #options: { readonly backlogBytes: number; readonly deletes: 'DEL' | 'UNLINK' };
  #replid: string | undefined;
  #replOffset = -1;
  #streamDb = 0;
  #deletions: Deletion[] = [];
  #deletionBytes = 0;

  /** More deletions than fit into the backlog make the position worthless. */
  constructor(options: { readonly backlogBytes: number; readonly deletes: 'DEL' | 'UNLINK' }) {
    this.#options = options;
  }

  aux(name: string, value: string): void {
    if (name === 'repl-id') this.#replid = value;
    else if (name === 'repl-offset') this.#replOffset = Number(value);
    else if (name === 'repl-stream-db') this.#streamDb = Number(value);
  }

  expired(dbIndex: number, { buf, at, size }: Bytes): void {
    if (this.#deletionBytes > this.#options.backlogBytes) return;
    const command = encodeRequest([this.#options.deletes, buf.subarray(at, at + size)]);
    this.#deletionBytes += command.length;
    this.#deletions.push({ dbIndex, command });
    if (this.#deletionBytes > this.#options.backlogBytes) this.#deletions = [];
  }

  /** What the file said, if it said all of it. */
  get position(): SavedPosition | undefined {
    const isUsable =
      this.#replid !== undefined &&
      isHexId(this.#replid) &&
      Number.isSafeInteger(this.#replOffset) &&
      this.#replOffset >= 0 &&
      Number.isSafeInteger(this.#streamDb) &&
      this.#deletionBytes <= this.#options.backlogBytes;
    if (!isUsable) return undefined;
    return {
      replid: replid(this.#replid!),
      replOffset: this.#replOffset,
      streamDb: this.#streamDb,
      deletions: this.#deletions,
    };
  }
}
