/**
 * DEBUG DIGEST: a number for the whole data that does not depend on the order of keys, the same as the one that
 * redis-server gives for the same data. Per key: digest of its name, type and value, and a mark if it expires; the
 * SHA-1 of these are XORed together, after the numbers of the databases that hold any.
 */
import { SHA1_BYTES, sha1 } from '../base/index.ts';
import { type Database, type Keyspace, NONE, type Ref, TYPE_STRING } from '../keyspace/index.ts';

const EXPIRES: Buffer = Buffer.from('!!expire!!');
const INDEX_BYTES = 4;

/** Digest of everything, 40 hexadecimal digits; zeros for no data. Expired keys that are still there count. */
export function dataDigest(keyspace: Keyspace): string {
  const total = Buffer.alloc(SHA1_BYTES);
  for (const db of keyspace.databases) {
    if (db.size === 0) continue;
    mix(total, numberBytes(db.index));
    db.forEach((ref) => {
      const { buf, at, size } = db.entries.key(ref);
      const digest = Buffer.alloc(SHA1_BYTES);
      mix(digest, Buffer.from(buf.subarray(at, at + size)));
      addValue(digest, db, ref);
      xor(total, sha1(digest));
    });
  }
  return total.toString('hex');
}

/** Digest of one key's value; zeros when there is none. */
export function valueDigest(db: Database, key: Buffer): string {
  const digest = Buffer.alloc(SHA1_BYTES);
  const ref = db.find(key, 0, key.length);
  if (ref !== NONE && !db.isExpired(ref)) addValue(digest, db, ref);
  return digest.toString('hex');
}

function addValue(digest: Buffer, db: Database, ref: Ref): void {
  const { entries } = db;
  mix(digest, numberBytes(entries.type(ref)));
  if (entries.type(ref) === TYPE_STRING) {
    const { buf, at, size } = entries.stringView(ref);
    mix(digest, buf.subarray(at, at + size));
  }
  if (entries.hasExpiry(ref)) xor(digest, sha1(EXPIRES));
}

/** Adds bytes so that their order matters. */
function mix(digest: Buffer, bytes: Uint8Array): void {
  xor(digest, sha1(bytes));
  digest.set(sha1(digest));
}

function xor(digest: Buffer, other: Uint8Array): void {
  for (let i = 0; i < SHA1_BYTES; i++) digest[i]! ^= other[i]!;
}

function numberBytes(value: number): Buffer {
  const bytes = Buffer.alloc(INDEX_BYTES);
  bytes.writeUInt32BE(value);
  return bytes;
}
