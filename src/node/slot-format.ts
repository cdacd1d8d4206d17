/** Keys as commands that set them, whatever the target has under their names. */
import { type Database, NONE, type Ref, TYPE_STRING, dumpValue } from '../keyspace/index.ts';
import { encodeRequest } from '../resp/index.ts';
import { CommandFormat, type CommandFormatHost } from './aof-format.ts';

const NO_COMPRESSION = { compression: false };

export class SlotFormat {
  readonly #db: Database;
  readonly #host: CommandFormatHost;
  #parts: Buffer[] = [];
  size = 0;

  constructor(db: Database, host: CommandFormatHost) {
    this.#db = db;
    this.#host = host;
  }

  /** Bytes of commands as they are. */
  add(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.size += bytes.length;
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
    const view = entries.key(ref);
    const key = Buffer.from(view.buf.subarray(view.at, view.at + view.size));
    const expireAt = entries.expireAt(ref);
    if (entries.type(ref) === TYPE_STRING) {
      const { buf, at, size } = entries.stringView(ref);
      const value = Buffer.from(buf.subarray(at, at + size));
      if (expireAt < 0) this.put('SET', key, value);
      else this.put('SET', key, value, 'PXAT', String(Math.max(1, expireAt)));
    } else if (entries.isLarge(ref)) {
      // In many commands of a few elements: the target is never busy with one for long.
      const format = new CommandFormat(this.#host, this.#db.index);
      format.entry(this.#db.index, store, ref);
      this.put('DEL', key);
      this.add(format.lend());
    } else {
      const payload = dumpValue(store, ref, NO_COMPRESSION);
      const until = String(Math.max(0, expireAt));
      this.put('RESTORE', key, until, payload, 'REPLACE', 'ABSTTL');
    }
  }

  take(): Buffer {
    const taken = Buffer.concat(this.#parts, this.size);
    this.#parts = [];
    this.size = 0;
    return taken;
  }
}
