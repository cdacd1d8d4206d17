/**
 * Keys that may be wrong on the target because it got their commands late: it lets a key expire when its time is over,
 * while the source renewed it before that, by a command that was still on its way. What is carried out then finds no key,
 * or makes a new one out of a part. Commands that are carried out when they came are in no danger; of late ones the keys
 * that they renew are remembered, and all keys of those that take from one key for another. They are copied anew from the
 * source when the stream has been caught up with, and until the stream is past the moment of that copy it leaves them out.
 */
import type { Request } from '../../resp/index.ts';
import type { KnownCommand } from './command-keys.ts';
import { KeyFile, type KeyLot } from './key-file.ts';

/** A command is late so long after it came. */
export const LATE_MS = 100;

/** Give a key a later time, or none, and leave it as it is otherwise. */
const RENEWING: ReadonlySet<string> = new Set([
  'pexpireat',
  'expireat',
  'pexpire',
  'expire',
  'persist',
  'getex',
]);
/** Have several keys that have nothing to do with each other, and leave nothing of what was there. */
const INDEPENDENT: ReadonlySet<string> = new Set(['del', 'unlink', 'mset', 'msetnx']);
/** Keys that are known to be remembered, so that they are once only. */
const KNOWN_MAX = 50_000;

export class LateKeys {
  readonly #file: KeyFile;
  /** Undefined when they are too many to know. */
  #known: Set<string> | undefined = new Set();
  #position = 0;
  /** Keys that were copied anew, and offsets up to which the stream does not count for them. */
  #leftOut: ReadonlyMap<string, number> = new Map();
  /** Whether what comes now is late. */
  isLate = false;

  /** `path`: a file of its own for the keys. */
  constructor(path: string) {
    this.#file = new KeyFile(path);
  }

  /** Begins anew, or with the keys that an earlier run has put into the file. */
  open(isGoingOn: boolean): void {
    this.#file.open(isGoingOn);
    this.#begin();
    if (!this.isEmpty) this.#known = undefined;
  }

  get isEmpty(): boolean {
    return this.#file.size === 0;
  }

  /** Whether commands have to be shown to `admits`. */
  get isWatching(): boolean {
    return this.isLate || !this.isEmpty;
  }

  /** Whether a command, which ends at this offset of the source, is to be carried out. `db`: of the target. */
  admits(db: number, request: Request, { keys, name }: KnownCommand, end: number): boolean {
    const isLeftOut = keys.some(
      (index) => end <= (this.#leftOut.get(idOf(db, request, index)) ?? 0),
    );
    if (isLeftOut) {
      // What it does to others would come of a key as it is later.
      if (keys.length > 1) this.#noteAll(db, request, keys);
    } else if (this.isLate) {
      this.note(db, request, { keys, name });
    } else if (keys.length > 1 && !INDEPENDENT.has(name)) {
      const isWrong = keys.some((index) => this.#known?.has(idOf(db, request, index)) ?? true);
      if (isWrong) this.#noteAll(db, request, keys);
    }
    return !isLeftOut;
  }

  /** A command was carried out late. */
  note(db: number, request: Request, { keys, name }: KnownCommand): void {
    if (RENEWING.has(name)) this.#noteAll(db, request, keys.slice(0, 1));
    else if (keys.length > 1 && !INDEPENDENT.has(name)) this.#noteAll(db, request, keys);
  }

  /** What was noted is on disk when it returns. */
  save(): void {
    if (!this.isEmpty) this.#file.save();
  }

  /** The next keys that are to be copied anew; undefined when there are none. */
  next(): KeyLot['keys'] | undefined {
    const { keys, end } = this.#file.read(this.#position);
    if (end === this.#position) return undefined;
    this.#position = end;
    for (const [db, names] of keys) {
      for (const name of names) this.#known?.delete(textOf(db, name));
    }
    return keys;
  }

  /** These were copied anew, as they were at their offsets. */
  leaveOut(
    copied: readonly { readonly db: number; readonly name: Buffer; readonly offset: number }[],
  ): void {
    this.#leftOut = new Map(copied.map(({ db, name, offset }) => [textOf(db, name), offset]));
  }

  /** Offset behind which the stream counts again for all keys. */
  get leftOutUntil(): number {
    return Math.max(0, ...this.#leftOut.values());
  }

  /** All keys are right, and the target knows that the stream is past their copies. */
  clear(): void {
    this.#file.clear();
    this.#begin();
  }

  /** Leaves the file to the next run. */
  close(): void {
    this.#file.close();
  }

  /** Nobody needs the keys any more. */
  remove(): void {
    this.#file.remove();
  }

  #begin(): void {
    this.#position = 0;
    this.#known = new Set();
    this.#leftOut = new Map();
  }

  #noteAll(db: number, request: Request, keys: readonly number[]): void {
    for (const index of keys) {
      const id = idOf(db, request, index);
      if (this.#known?.has(id) === true) continue;
      this.#known?.add(id);
      if (this.#known !== undefined && this.#known.size > KNOWN_MAX) this.#known = undefined;
      this.#file.add(db, request.buf, request.at[index]!, request.size[index]!);
    }
  }
}

function idOf(db: number, { buf, at, size }: Request, index: number): string {
  return `${db} ${buf.toString('latin1', at[index], at[index]! + size[index]!)}`;
}

function textOf(db: number, name: Buffer): string {
  return `${db} ${name.toString('latin1')}`;
}
