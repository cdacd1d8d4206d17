/** How a snapshot is written: as RDB, or as the commands that make its data anew. */
import type { UnixMs } from '../base/index.ts';
import type { Settings } from '../config/index.ts';
import { type Keyspace, type Ref, type Store, ValueSaver } from '../keyspace/index.ts';
import { type RdbHeader, RdbWriter } from '../rdb/index.ts';

/** Takes entries and gives bytes. */
export interface SnapshotFormat {
  begin(): void;
  entry(dbIndex: number, store: Store, ref: Ref): void;
  end(): void;
  /** Bytes that `lend` would give. */
  readonly pendingSize: number;
  /** All bytes since the last call; they are the caller's until the next call of anything here. */
  lend(): Buffer;
}

/** Field of a snapshot for replicas: whose keys stand in it, as `SlotTransfers` writes and reads it. */
export const SLOT_MARKS_FIELD = 'slotline-slots';

export interface RdbFormatHost {
  readonly keyspace: Keyspace;
  readonly unixNow: UnixMs;
  readonly settings: Settings;
  /** Libraries of functions, by their codes. */
  readonly functions: { readonly codes: readonly string[] };
}

export interface RdbFormatOptions {
  /** What a replica needs to go on from here; undefined where nobody does. */
  readonly replication: RdbHeader['replication'] | undefined;
  /** What the replicas must know of slots on the move, see `SLOT_MARKS_FIELD`. Default none. */
  readonly slotMarks?: string;
  /** Whether it is the base of an append-only file. Default false. */
  readonly isAofBase?: boolean;
}

export class RdbFormat implements SnapshotFormat {
  readonly #keyspace: Keyspace;
  readonly #header: RdbHeader;
  /** Facts about use that go with every key: those that maxmemory-policy goes by. */
  readonly #recency: 'lru' | 'lfu' | 'none';
  readonly #writer: RdbWriter;
  readonly #saver: ValueSaver;
  readonly #libraries: readonly string[];
  /** Sizes of the databases at the start, until they are written. */
  readonly #sizes: ({ readonly keys: number; readonly expiring: number } | undefined)[];
  #dbIndex = -1;

  /** A format for the data of this very moment. */
  constructor(host: RdbFormatHost, options: RdbFormatOptions) {
    const { keyspace, unixNow, settings, functions } = host;
    const { replication, slotMarks = '', isAofBase = false } = options;
    this.#keyspace = keyspace;
    this.#header = {
      ctimeUnixSeconds: Math.floor(unixNow / 1000),
      usedMemoryBytes: keyspace.memory.usedBytes,
      isAofBase,
      ...(replication === undefined ? {} : { replication }),
      ...(slotMarks === '' ? {} : { own: { [SLOT_MARKS_FIELD]: slotMarks } }),
    };
    this.#recency = recencyOf(settings['maxmemory-policy']);
    this.#writer = new RdbWriter({
      compression: settings.rdbcompression,
      checksum: settings.rdbchecksum,
    });
    this.#saver = new ValueSaver(this.#writer);
    this.#libraries = functions.codes;
    this.#sizes = keyspace.databases.map((db) => ({ keys: db.size, expiring: db.volatileCount }));
  }

  get pendingSize(): number {
    return this.#writer.pendingSize;
  }

  lend(): Buffer {
    return this.#writer.lend();
  }

  begin(): void {
    this.#writer.header(this.#header);
    for (const code of this.#libraries) this.#writer.library(Buffer.from(code, 'latin1'));
  }

  entry(dbIndex: number, store: Store, ref: Ref): void {
    const writer = this.#writer;
    const { entries } = store;
    if (dbIndex !== this.#dbIndex) this.#select(dbIndex);
    const expireAtUnixMs = entries.expireAt(ref);
    const { recency } = this.#keyspace;
    if (this.#recency === 'lru') {
      const idleSeconds = recency.idleSeconds(entries.lru(ref));
      writer.entryFacts({ expireAtUnixMs, idleSeconds });
    } else if (this.#recency === 'lfu') {
      writer.entryFacts({ expireAtUnixMs, freq: recency.frequency(entries.lru(ref)) });
    } else if (expireAtUnixMs >= 0) {
      writer.entryFacts({ expireAtUnixMs });
    }
    writer.type(this.#saver.typeOf(store, ref));
    const key = entries.key(ref);
    writer.string(key.buf, key.at, key.size);
    this.#saver.save(store, ref);
    writer.sum();
  }

  end(): void {
    this.#writer.end();
  }

  #select(dbIndex: number): void {
    this.#dbIndex = dbIndex;
    this.#writer.selectDb(dbIndex);
    const sizes = this.#sizes[dbIndex];
    if (sizes !== undefined) this.#writer.resizeDb(sizes);
    this.#sizes[dbIndex] = undefined;
  }
}

function recencyOf(policy: string): 'lru' | 'lfu' | 'none' {
  if (policy.includes('lru')) return 'lru';
  return policy.includes('lfu') ? 'lfu' : 'none';
}
