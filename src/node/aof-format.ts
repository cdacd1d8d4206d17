/**
 * The base of an append-only file as commands (`aof-use-rdb-preamble no`): those that make each key anew.
 * Source: what BGREWRITEAOF of redis-server 7.0.15 writes.
 */
import { timestampAnnotation } from '../aof/index.ts';
import { type UnixMs, formatDouble } from '../base/index.ts';
import type { Settings } from '../config/index.ts';
import {
  type BytesView,
  NONE,
  type Ref,
  type Store,
  StreamCursor,
  StreamId,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
} from '../keyspace/index.ts';
import { encodeRequest } from '../resp/index.ts';
import type { SnapshotFormat } from './snapshot-format.ts';

/** Elements of one command. Source: 7.0 aof.c, AOF_REWRITE_ITEMS_PER_CMD. */
const ITEMS_MAX = 64;
const NO_ID = '0-0';

export interface CommandFormatHost {
  readonly settings: Settings;
  readonly unixNow: UnixMs;
}

type Argument = Buffer | string;

export class CommandFormat implements SnapshotFormat {
  readonly #host: CommandFormatHost;
  readonly #id: StreamId = new StreamId();
  #parts: Buffer[] = [];
  #size = 0;
  #dbIndex: number;

  /** `dbIndex`: the database that is selected at the start; default none. */
  constructor(host: CommandFormatHost, dbIndex: number = -1) {
    this.#host = host;
    this.#dbIndex = dbIndex;
  }

  get pendingSize(): number {
    return this.#size;
  }

  lend(): Buffer {
    const lent = Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    return lent;
  }

  begin(): void {
    if (!this.#host.settings['aof-timestamp-enabled']) return;
    const line = timestampAnnotation(Math.floor(this.#host.unixNow / 1000));
    this.#push(Buffer.from(line, 'latin1'));
  }

  end(): void {
    // Nothing follows the last command.
  }

  entry(dbIndex: number, store: Store, ref: Ref): void {
    if (dbIndex !== this.#dbIndex) {
      this.#dbIndex = dbIndex;
      this.#put('SELECT', String(dbIndex));
    }
    const { entries } = store;
    const key = bytes(entries.key(ref));
    switch (entries.type(ref)) {
      case TYPE_STRING:
        this.#put('SET', key, bytes(entries.stringView(ref)));
        break;
      case TYPE_LIST:
        this.#inGroups(['RPUSH', key], (add) => {
          store.lists.forEach(ref, (element) => add(bytes(element)));
        });
        break;
      case TYPE_SET:
        this.#inGroups(['SADD', key], (add) => {
          store.sets.forEach(ref, (member) => add(bytes(member)));
        });
        break;
      case TYPE_ZSET:
        this.#inGroups(['ZADD', key], (add) => {
          store.zsets.forEach(ref, (member, score) => add(formatDouble(score), bytes(member)));
        });
        break;
      case TYPE_HASH:
        this.#inGroups(['HMSET', key], (add) => {
          store.hashes.forEach(ref, (field, value) => add(bytes(field), bytes(value)));
        });
        break;
      default:
        this.#stream(store, key, entries.firstWord(ref));
    }
    const expireAt = entries.expireAt(ref);
    if (expireAt >= 0) this.#put('PEXPIREAT', key, String(expireAt));
  }

  /** Several items of `collect` to a command that begins with `head`. */
  #inGroups(
    head: readonly Argument[],
    collect: (add: (...item: readonly Argument[]) => void) => void,
  ): void {
    let args = [...head];
    let items = 0;
    collect((...item) => {
      if (items === ITEMS_MAX) {
        this.#put(...args);
        args = [...head];
        items = 0;
      }
      args.push(...item);
      items++;
    });
    if (items > 0) this.#put(...args);
  }

  #stream({ streams }: Store, key: Buffer, stream: Ref): void {
    const lastId = streams.readLastId(stream, this.#id).text();
    const cursor = new StreamCursor(streams.arena, streams, streams.blocks);
    cursor.open(stream, new StreamId().setZero(), new StreamId().setMax(), false);
    let isEmpty = true;
    while (cursor.next()) {
      isEmpty = false;
      const args: Argument[] = ['XADD', key, cursor.id.text()];
      for (let i = cursor.fieldCount; i > 0; i--) {
        cursor.nextField();
        args.push(bytes(cursor.name), bytes(cursor.value));
      }
      this.#put(...args);
    }
    // A stream can be empty: an entry that is trimmed at once makes one.
    if (isEmpty) this.#put('XADD', key, 'MAXLEN', '0', lastId === NO_ID ? '0-1' : lastId, 'x', 'y');
    const deletedId = streams.readMaxDeletedId(stream, this.#id).text();
    const added = ['ENTRIESADDED', String(streams.entriesAdded(stream))];
    this.#put('XSETID', key, lastId, ...added, 'MAXDELETEDID', deletedId);
    const { groups } = streams;
    for (let i = 0; i < groups.count(stream); i++) this.#group(groups, key, groups.at(stream, i));
  }

  #group(groups: Store['streams']['groups'], key: Buffer, group: Ref): void {
    const name = bytes(groups.name(group));
    const id = this.#id;
    const lastId = groups.readLastId(group, id).text();
    const read = ['ENTRIESREAD', String(groups.entriesRead(group))];
    this.#put('XGROUP', 'CREATE', key, name, lastId, ...read);
    for (let i = 0; i < groups.consumerCount(group); i++) {
      const consumer = groups.consumerAt(group, i);
      const owner = bytes(groups.consumerName(consumer));
      this.#put('XGROUP', 'CREATECONSUMER', key, name, owner);
      const walk = groups.walkConsumerPending(consumer, id.setZero());
      for (; walk.ref !== NONE; walk.next()) {
        const pending = groups.readPendingId(walk.ref, id).text();
        const time = ['TIME', String(groups.deliveryTime(walk.ref))];
        const retries = ['RETRYCOUNT', String(groups.deliveryCount(walk.ref))];
        const rest = [pending, ...time, ...retries, 'JUSTID', 'FORCE'];
        this.#put('XCLAIM', key, name, owner, '0', ...rest);
      }
    }
  }

  #put(...args: readonly Argument[]): void {
    this.#push(encodeRequest(args));
  }

  #push(part: Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
  }
}

/** A copy of a view that the next call reuses. */
function bytes({ buf, at, size }: Readonly<BytesView>): Buffer {
  return Buffer.from(buf.subarray(at, at + size));
}
