/** A keyspace with low limits and one key, for the tests of container structures. */
import { seededRng } from '../base/index.ts';
import type { Ref } from './arena.ts';
import type { Database } from './database.ts';
import type { BytesView } from './entry.ts';
import { Keyspace } from './keyspace.ts';

/** Bytes of a text, one byte a character. */
export function view(text: string): BytesView & { readonly buf: Buffer } {
  const buf = Buffer.from(text, 'latin1');
  return { buf, at: 0, size: buf.length };
}

/** The text of bytes. */
export function textOf({ buf, at, size }: BytesView): string {
  return Buffer.from(buf.subarray(at, at + size)).toString('latin1');
}

/** The key of the value under test. */
export const KEY: BytesView & { readonly buf: Buffer } = view('key');

export class ValueBench {
  readonly keyspace: Keyspace = new Keyspace({
    rng: seededRng(1),
    databases: 2,
    hooks: { expired: () => {}, touched: () => {}, replaced: () => {}, rubbish: () => {} },
    limits: {
      'hash-max-listpack-entries': 4,
      'hash-max-listpack-value': 8,
      'list-max-listpack-size': -2,
      'set-max-intset-entries': 8,
      'stream-node-max-bytes': 4096,
      'stream-node-max-entries': 100,
      'zset-max-listpack-entries': 128,
      'zset-max-listpack-value': 64,
    },
  });
  readonly db: Database = this.keyspace.db(0);

  /** The entry of the key, or NONE. */
  find(): Ref {
    return this.db.find(KEY.buf, 0, KEY.size);
  }

  /** Frees everything that was deleted. */
  drain(): void {
    while (this.keyspace.collect(100));
  }
}
