/**
 * Expiry during the full phase. A key of the snapshot may be renewed by a write that waits in the spool: if it expired
 * on the target meanwhile, that write would come too late and the key be lost. So keys that expire before long get their
 * time with a shift of decades, and their right one when the stream has been caught up with, unless it gave them another
 * meanwhile.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { invariant } from '../../base/index.ts';
import { type KeyBatch, type Side, ask } from '../flow/index.ts';

/** Some 35 years. */
const SHIFT_MS = 2 ** 40;
/** Keys that expire later are not in danger. */
const HORIZON_MS = 7 * 24 * 3600 * 1000;
const LOT_KEYS = 1000;
const WRITE_BYTES: number = 64 * 1024;

export class DeferredExpiry {
  readonly #path: string;
  readonly #startUnixMs: number;
  #fd: number | undefined;
  readonly #buf: Buffer = Buffer.allocUnsafeSlow(WRITE_BYTES);
  #at = 0;
  /** Bytes of whole records in the file. */
  #fileBytes = 0;
  /** Whether keys may have a shifted time. */
  isPending = false;

  /** `path`: a file of its own for the keys. */
  constructor(path: string, startUnixMs: number) {
    this.#path = path;
    this.#startUnixMs = startUnixMs;
  }

  /** Begins anew, or with the keys that an earlier run has put into the file. */
  open(isGoingOn: boolean): void {
    this.close();
    if (!isGoingOn) rmSync(this.#path, { force: true });
    this.#fd = openSync(this.#path, isGoingOn ? 'a+' : 'w+', 0o600);
    this.#fileBytes = isGoingOn ? fstatSync(this.#fd).size : 0;
    this.isPending = true;
  }

  /** What to restore a key with that expires at this time. */
  expiryFor(expireAtUnixMs: number): number {
    return this.#isNear(expireAtUnixMs) ? expireAtUnixMs + SHIFT_MS : expireAtUnixMs;
  }

  #isNear(expireAtUnixMs: number): boolean {
    return expireAtUnixMs <= this.#startUnixMs + HORIZON_MS;
  }

  /** The key in database `db` may have a shifted time. */
  add(db: number, buf: Buffer, at: number, size: number): void {
    if (this.#at + 8 + size > WRITE_BYTES) this.#flush();
    if (8 + size > WRITE_BYTES) {
      const record = Buffer.allocUnsafe(8 + size);
      writeRecord(record, 0, { db, buf, at, size });
      writeSync(this.#file(), record);
      this.#fileBytes += record.length;
    } else {
      writeRecord(this.#buf, this.#at, { db, buf, at, size });
      this.#at += 8 + size;
    }
  }

  /** What was added outlives this process when it returns. */
  keep(): void {
    this.#flush();
  }

  /** What was added is on disk when it returns. */
  save(): void {
    this.#flush();
    fsyncSync(this.#file());
  }

  /**
   * Gives every key its right time; `sideOf` the target in a database. Answers how many could not get it. Can be done
   * again: a target that lost its latest writes needs that.
   */
  async settle(sideOf: (db: number) => Side): Promise<number> {
    this.#flush();
    let failed = 0;
    for (let position = 0; position < this.#fileBytes;) {
      const lot = this.#read(position);
      if (lot.end === position) break;
      position = lot.end;
      for (const [db, batch] of lot.batches) failed += await correct(sideOf(db), batch);
    }
    this.isPending = false;
    return failed;
  }

  /** Leaves the file to the next run. */
  close(): void {
    if (this.#fd === undefined) return;
    this.#flush();
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

  #flush(): void {
    if (this.#at === 0) return;
    writeSync(this.#file(), this.#buf, 0, this.#at);
    this.#fileBytes += this.#at;
    this.#at = 0;
  }

  /** Some records from `position` on; a torn one at the end is left out. */
  #read(position: number): { batches: Map<number, MutableBatch>; end: number } {
    const batches = new Map<number, MutableBatch>();
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
      const batch = batches.get(db) ?? { keys: [] };
      batch.keys.push(key);
      batches.set(db, batch);
    }
    return { batches, end: at };
  }
}

interface MutableBatch {
  readonly keys: Buffer[];
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

async function correct(side: Side, { keys }: MutableBatch): Promise<number> {
  const batch = batchOf(keys);
  const all = keys.map((_, index) => index);
  const times = await ask(side, {
    batch,
    keys: all,
    perKey: 1,
    write: (out, _, index) => {
      out.begin(2);
      out.word('PEXPIRETIME');
      out.argument(batch.buf, batch.at[index]!, batch.size[index]!);
    },
  });
  let failed = 0;
  const rightTimes = new Map<number, number>();
  for (const index of all) {
    const text = times.bufs[index]!.toString('latin1', times.starts[index], times.ends[index]);
    if (!text.startsWith(':')) failed++;
    // A time of another making is the stream's, and right.
    else if (isShifted(Number(text.slice(1))))
      rightTimes.set(index, Number(text.slice(1)) - SHIFT_MS);
  }
  if (rightTimes.size === 0) return failed;
  const shifted = [...rightTimes.keys()];
  const answers = await ask(side, {
    batch,
    keys: shifted,
    perKey: 1,
    write: (out, _, index) => {
      out.begin(3);
      out.word('PEXPIREAT');
      out.argument(batch.buf, batch.at[index]!, batch.size[index]!);
      out.word(String(rightTimes.get(index)));
    },
  });
  const isError = (place: number): boolean => answers.bufs[place]![answers.starts[place]!] === 0x2d;
  return failed + shifted.filter((_, place) => isError(place)).length;
}

/** Whether the time without the shift is one that would have been shifted. */
function isShifted(expireAtUnixMs: number): boolean {
  const ahead = expireAtUnixMs - SHIFT_MS - Date.now();
  return ahead <= HORIZON_MS && ahead > -SHIFT_MS / 2;
}

function batchOf(keys: readonly Buffer[]): KeyBatch {
  const at: number[] = [];
  let end = 0;
  for (const key of keys) {
    at.push(end);
    end += key.length;
  }
  return { buf: Buffer.concat(keys), at, size: keys.map((key) => key.length) };
}
