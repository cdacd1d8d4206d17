/** Keys as commands that set them, whatever the target has under their names. */
import { copyBytes, writeDigits } from '../base/index.ts';
import {
  type BytesView,
  type Database,
  NONE,
  type Ref,
  TYPE_STRING,
  dumpValue,
} from '../keyspace/index.ts';
import { encodeRequest } from '../resp/index.ts';
import { ValueCommands } from './value-commands.ts';

const NO_COMPRESSION = { compression: false };
const SET: Buffer = Buffer.from('*3\r\n$3\r\nSET\r\n');
const SET_UNTIL: Buffer = Buffer.from('*5\r\n$3\r\nSET\r\n');
const UNTIL: Buffer = Buffer.from('$4\r\nPXAT\r\n');
/** Room for the pieces that are taken; a larger entry makes its own. */
const BUFFER_BYTES = 16 * 1024;
/** What stands around key and value of a SET at most. */
const SET_FRAME_BYTES = 128;

const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;

export class SlotFormat {
  readonly #db: Database;
  #out: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #at = 0;

  readonly #values: ValueCommands = new ValueCommands((...args) => this.put(...args));

  constructor(db: Database) {
    this.#db = db;
  }

  /** Bytes that `take` would give. */
  get size(): number {
    return this.#at;
  }

  /** Bytes of commands as they are. */
  add(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#at += bytes.copy(this.#out, this.#at);
  }

  put(...args: readonly (Buffer | string)[]): void {
    this.add(encodeRequest(args));
  }

  /** The key as it is now: there or not. */
  state(key: Buffer): void {
    const ref = this.#db.find(key, 0, key.length);
    if (ref === NONE) this.put('DEL', key);
    else this.entry(ref);
  }

  entry(ref: Ref): void {
    const { store } = this.#db;
    const { entries } = store;
    if (entries.type(ref) === TYPE_STRING) return this.#string(ref);
    const key = copyOf(entries.key(ref));
    if (entries.isLarge(ref)) {
      // In many commands of a few elements: the target is never busy with one for long.
      this.put('DEL', key);
      this.#values.begin(store, ref);
      this.#values.next(Infinity);
    } else {
      const payload = dumpValue(store, ref, NO_COMPRESSION);
      const until = String(Math.max(0, entries.expireAt(ref)));
      this.put('RESTORE', key, until, payload, 'REPLACE', 'ABSTTL');
    }
  }

  /** All bytes since the last call; they are the caller's. */
  take(): Buffer {
    const taken = this.#out.subarray(0, this.#at);
    this.#out = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    this.#at = 0;
    return taken;
  }

  /** Most keys are strings: nothing is made for one. */
  #string(ref: Ref): void {
    const { entries } = this.#db.store;
    const expireAt = entries.expireAt(ref);
    const key = entries.key(ref);
    const value = entries.stringView(ref);
    this.#reserve(key.size + value.size + SET_FRAME_BYTES);
    this.#copy(expireAt < 0 ? SET : SET_UNTIL);
    this.#bulk(key);
    this.#bulk(value);
    if (expireAt < 0) return;
    this.#copy(UNTIL);
    const digits = String(Math.max(1, expireAt));
    this.#at += this.#out.write(`$${digits.length}\r\n${digits}\r\n`, this.#at, 'latin1');
  }

  #copy(bytes: Buffer): void {
    copyBytes(bytes, 0, this.#out, this.#at, bytes.length);
    this.#at += bytes.length;
  }

  #bulk({ buf, at, size }: BytesView): void {
    const out = this.#out;
    let to = this.#at;
    out[to++] = DOLLAR;
    const digits = size < 10 ? 1 : size < 100 ? 2 : size < 1000 ? 3 : String(size).length;
    writeDigits(out, to + digits, size);
    to += digits;
    out[to++] = CR;
    out[to++] = LF;
    copyBytes(buf, at, out, to, size);
    to += size;
    out[to++] = CR;
    out[to++] = LF;
    this.#at = to;
  }

  #reserve(bytes: number): void {
    const need = this.#at + bytes;
    if (need <= this.#out.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.#out.length * 2));
    this.#out.copy(grown, 0, 0, this.#at);
    this.#out = grown;
  }
}

/** A copy of a view that the next call reuses. */
export function copyOf({ buf, at, size }: Readonly<BytesView>): Buffer {
  return Buffer.from(buf.subarray(at, at + size));
}
