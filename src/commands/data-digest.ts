/**
 * DEBUG DIGEST: a number for the whole data that does not depend on the order of keys, the same as the one that
 * redis-server gives for the same data. Per key: digest of its name, type and value, and a mark if it expires; the
 * SHA-1 of these are XORed together, after the numbers of the databases that hold any. What has an order (elements of a
 * list, entries of a stream) is mixed in one after the other; what has none, each for itself and then XORed.
 */
import { SHA1_BYTES, Sha1, formatDouble } from '../base/index.ts';
import {
  type BytesView,
  type Database,
  type Keyspace,
  NONE,
  type Ref,
  StreamId,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from '../keyspace/index.ts';

const EXPIRES: Buffer = Buffer.from('!!expire!!');
const INDEX_BYTES = 4;

/** Digest of everything, 40 hexadecimal digits; zeros for no data. Expired keys that are still there count. */
export function dataDigest(keyspace: Keyspace): string {
  const digests = new Digests();
  const total = Buffer.alloc(SHA1_BYTES);
  const digest = Buffer.alloc(SHA1_BYTES);
  for (const db of keyspace.databases) {
    if (db.size === 0) continue;
    digests.mixNumber(total, db.index);
    db.forEach((ref) => {
      digest.fill(0);
      digests.mix(digest, db.entries.key(ref));
      digests.addValue(digest, db, ref);
      digests.xor(total, { buf: digest, at: 0, size: SHA1_BYTES });
    });
  }
  return total.toString('hex');
}

/** Digest of one key's value, expired or not; zeros when there is none. */
export function valueDigest(db: Database, key: Buffer): string {
  const digest = Buffer.alloc(SHA1_BYTES);
  const ref = db.find(key, 0, key.length);
  if (ref !== NONE) new Digests().addValue(digest, db, ref);
  return digest.toString('hex');
}

/** Adds things to digests. */
class Digests {
  readonly #sha1: Sha1 = new Sha1();
  readonly #sum: Buffer = Buffer.alloc(SHA1_BYTES);
  readonly #number: Buffer = Buffer.alloc(INDEX_BYTES);
  /** Of one element of a container without order. */
  readonly #element: Buffer = Buffer.alloc(SHA1_BYTES);
  readonly #text: Buffer = Buffer.alloc(64);

  /** Adds bytes so that their order matters. */
  mix(digest: Buffer, bytes: Readonly<BytesView>): void {
    this.xor(digest, bytes);
    this.#sha1.digest(digest, 0, SHA1_BYTES, digest);
  }

  /** Adds bytes so that their order does not matter. */
  xor(digest: Buffer, { buf, at, size }: Readonly<BytesView>): void {
    const sum = this.#sum;
    this.#sha1.digest(buf, at, size, sum);
    for (let i = 0; i < SHA1_BYTES; i++) digest[i]! ^= sum[i]!;
  }

  mixNumber(digest: Buffer, value: number): void {
    this.#number.writeUInt32BE(value);
    this.mix(digest, { buf: this.#number, at: 0, size: INDEX_BYTES });
  }

  addValue(digest: Buffer, db: Database, ref: Ref): void {
    const { entries, store } = db;
    const type = entries.type(ref);
    this.mixNumber(digest, type);
    switch (type) {
      case TYPE_STRING:
        this.mix(digest, entries.stringView(ref));
        break;
      case TYPE_LIST:
        store.lists.forEach(ref, (element) => this.mix(digest, element));
        break;
      case TYPE_SET:
        store.sets.forEach(ref, (member) => this.xor(digest, member));
        break;
      case TYPE_ZSET:
        store.zsets.forEach(ref, (member, score) =>
          this.#xorPair(digest, member, this.#textOf(formatDouble(score))),
        );
        break;
      case TYPE_HASH:
        store.hashes.forEach(ref, (field, value) => this.#xorPair(digest, field, value));
        break;
      case TYPE_STREAM:
        this.#addStream(digest, db, ref);
        break;
      default:
    }
    if (entries.hasExpiry(ref)) this.xor(digest, { buf: EXPIRES, at: 0, size: EXPIRES.length });
  }

  #xorPair(digest: Buffer, first: Readonly<BytesView>, second: Readonly<BytesView>): void {
    const element = this.#element;
    element.fill(0);
    this.mix(element, first);
    this.mix(element, second);
    this.xor(digest, { buf: element, at: 0, size: SHA1_BYTES });
  }

  #addStream(digest: Buffer, { store, entries }: Database, ref: Ref): void {
    const { cursor } = store.streams;
    const stream = entries.firstWord(ref);
    const from = new StreamId();
    const to = new StreamId();
    cursor.open(stream, from.setZero(), to.setMax(), false);
    while (cursor.next()) {
      this.mix(digest, this.#textOf(`${cursor.id.ms}.${cursor.id.seq}`));
      for (let i = cursor.fieldCount; i > 0; i--) {
        cursor.nextField();
        this.mix(digest, cursor.name);
        this.mix(digest, cursor.value);
      }
    }
  }

  #textOf(text: string): BytesView {
    return { buf: this.#text, at: 0, size: this.#text.write(text, 'latin1') };
  }
}
