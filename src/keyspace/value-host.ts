/** What the structures of containers ask of the database that an entry is in. */
import type { Ref } from './arena.ts';
import type { BytesView, Entries } from './entry.ts';
import type { Words } from './large-values.ts';

/** When small containers become large ones; named as their directives, so that settings fit. */
export interface EncodingLimits {
  readonly 'hash-max-listpack-entries': number;
  readonly 'hash-max-listpack-value': number;
  readonly 'list-max-listpack-size': number;
  readonly 'set-max-intset-entries': number;
  readonly 'stream-node-max-bytes': number;
  readonly 'stream-node-max-entries': number;
  readonly 'zset-max-listpack-entries': number;
  readonly 'zset-max-listpack-value': number;
}

/** Source: defaults of redis.conf 7.0. */
export const DEFAULT_LIMITS: EncodingLimits = {
  'hash-max-listpack-entries': 512,
  'hash-max-listpack-value': 64,
  'list-max-listpack-size': -2,
  'set-max-intset-entries': 512,
  'stream-node-max-bytes': 4096,
  'stream-node-max-entries': 100,
  'zset-max-listpack-entries': 128,
  'zset-max-listpack-value': 64,
};

/** Where an entry can get a block of another size. */
export interface BlobHost {
  readonly entries: Entries;
  /** See `Database.relocate`. */
  relocate(ref: Ref, sectionBytes: number, hasExpiry: boolean, slack?: number): Ref;
}

/** Where entries are made, change their size and become large: a database. */
export interface ValueHost extends BlobHost {
  readonly limits: EncodingLimits;
  /** List elements of at least so many bytes have a node of their own. */
  readonly plainElementBytes: number;
  /** See `Database.addBlob`. */
  addBlob(key: BytesView, type: number, encoding: number, blob: BytesView): Ref;
  /** See `Database.addLarge`. */
  addLarge(key: BytesView, type: number, encoding: number, words: Readonly<Words>): Ref;
  /** See `Database.makeLarge`. */
  makeLarge(ref: Ref, encoding: number, words: Readonly<Words>): Ref;
  readonly store: { beforeChange(ref: Ref): void };
}
