/** Names of keys that outlive the process, in a file of their own. */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { invariant } from '../../base/index.ts';

/** Keys that were read at once. */
export interface KeyLot {
  /** By database. */
  readonly keys: ReadonlyMap<number, readonly Buffer[]>;
  /** Position of the next lot. */
  readonly end: number;
}

const LOT_KEYS = 1000;
const WRITE_BYTES: number = 64 * 1024;

export class KeyFile {
  readonly #path: string;
  #fd: number | undefined;
  readonly #buf: Buffer = Buffer.allocUnsafeSlow(WRITE_BYTES);
  #at = 0;
  /** Bytes of whole records in the file, and of those that are on disk for certain. */
  #fileBytes = 0;
  #savedBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes of all records. */
  get size(): number {
    return this.#fileBytes + this.#at;
  }

  /** Begins anew, or with the keys that an earlier run has put into the file. */
  open(isGoingOn: boolean): void {
    this.close();
    if (!isGoingOn) rmSync(this.#path, { force: true });
    const isThere = existsSync(this.#path);
    this.#fd = openSync(this.#path, isThere ? 'r+' : 'w+', 0o600);
    this.#fileBytes = fstatSync(this.#fd).size;
    this.#savedBytes = 0;
  }

  add(db: number, buf: Buffer, at: number, size: number): void {
    if (this.#at + 8 + size > WRITE_BYTES) this.keep();
    if (8 + size > WRITE_BYTES) {
      const record = Buffer.allocUnsafe(8 + size);
      writeRecord(record, 0, { db, buf, at, size });
      writeSync(this.#file(), record, 0, record.length, this.#fileBytes);
      this.#fileBytes += record.length;
    } else {
      writeRecord(this.#buf, this.#at, { db, buf, at, size });
      this.#at += 8 + size;
    }
  }

  /** What was added outlives this process when it returns. */
  keep(): void {
    if (this.#at === 0) return;
    writeSync(this.#file(), this.#buf, 0, this.#at, this.#fileBytes);
    this.#fileBytes += this.#at;
    this.#at = 0;
  }

  /** What was added is on disk when it returns. */
  save(): void {
    this.keep();
    if (this.#savedBytes === this.#fileBytes) return;
    fsyncSync(this.#file());
    this.#savedBytes = this.#fileBytes;
  }

  /** Some keys from `position` on; none at the end, where a torn record is left out. */
  read(position: number): KeyLot {
    this.keep();
    const keys = new Map<number, Buffer[]>();
    const head = Buffer.alloc(8);
    let at = position;
    for (let i = 0; i < LOT_KEYS && at + 8 <= this.#fileBytes; i++) {
      readSync(this.#file(), head, 0, 8, at);
      const size = head.readUInt32LE(4);
      if (at + 8 + size > this.#fileBytes) break;
      const key = Buffer.alloc(size);
      if (size > 0) readSync(this.#file(), key, 0, size, at + 8);
      at += 8 + size;
      const db = head.readUInt32LE(0);
      const ofDb = keys.get(db) ?? [];
      ofDb.push(key);
      keys.set(db, ofDb);
    }
    return { keys, end: at };
  }

  /** Forgets all keys. */
  clear(): void {
    this.#at = 0;
    this.#fileBytes = 0;
    this.#savedBytes = 0;
    ftruncateSync(this.#file(), 0);
  }

  /** Leaves the file to the next run. */
  close(): void {
    if (this.#fd === undefined) return;
    this.keep();
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Nobody needs the keys any more. */
  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  #file(): number {
    invariant(this.#fd !== undefined, 'keys are added to an open file');
    return this.#fd;
  }
}

interface Record {
  readonly db: number;
  readonly buf: Buffer;
  readonly at: number;
  readonly size: number;
}

/** Database and size in four bytes each, then the key. */
function writeRecord(out: Buffer, to: number, { db, buf, at, size }: Record): void {
  out.writeUInt32LE(db, to);
  out.writeUInt32LE(size, to + 4);
  buf.copy(out, to + 8, at, at + size);
}
