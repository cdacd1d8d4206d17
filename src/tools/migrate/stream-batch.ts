/**
 * Commands for one node of the target, gathered to be sent together. Where a command must not be carried out twice, all
 * the batch's commands of its slot go into one transaction with the position they bring the slot to: the position is
 * stored if and only if they are carried out. A single server's commands are all in one transaction.
 */
import { RequestBuffer } from '../../client/index.ts';
import { encodeRequest } from '../../resp/index.ts';

/** One command. Those of a transaction follow each other with one offset, and none of them is repeatable. */
export interface Item {
  /** NO_SLOT for a command about the whole node. */
  readonly slot: number;
  /** Database of the target; 0 in a cluster. */
  readonly db: number;
  /** Whether carrying it out again, with all that follows, changes nothing. */
  readonly isRepeatable: boolean;
  /** Of the source, behind the command, or behind its transaction. */
  readonly offset: number;
}

export const NO_SLOT = -1;

/** How a batch is sent. */
export interface Layout {
  /** Indexes of the items that are sent as they are. */
  readonly plain: readonly number[];
  readonly units: readonly Unit[];
}

/** A transaction: its steps in order, then the position, then EXEC. */
export interface Unit {
  readonly slot: number;
  readonly offset: number;
  readonly steps: readonly Step[];
}

export type Step = { readonly item: number } | { readonly select: number };

/** Bytes before the name of a command with less than ten arguments, and a name shorter than ten bytes. */
const NAME_AT = 8;
const LOWER = 0x20;
const LOWER_P = 0x70;
const LOWER_E = 0x65;
const MULTI: Buffer = encodeRequest(['MULTI']);
const EXEC: Buffer = encodeRequest(['EXEC']);

export class StreamBatch {
  readonly items: Item[] = [];
  readonly #staged: RequestBuffer = new RequestBuffer();
  /** Where each item's bytes end. */
  readonly #ends: number[] = [];
  #hasUnits = false;
  /** Whether all of it is one transaction of database 0. */
  #isOneUnit = false;
  /** Indexes of items that give a key, which there is, a later time or none. */
  readonly renewals: number[] = [];
  /** Whether a key that its commands are about may have ended too early. */
  isLate = false;
  /** When its first item was added, by `performance.now()`. */
  sinceMs = 0;

  get byteCount(): number {
    return this.#staged.byteCount;
  }

  /** Source offset behind its first item; Infinity when there is none. */
  get firstOffset(): number {
    return this.items[0]?.offset ?? Infinity;
  }

  add(item: Item, buf: Buffer, at: number, size: number): void {
    const [first] = this.items;
    if (first === undefined) this.sinceMs = performance.now();
    this.#isOneUnit =
      !item.isRepeatable &&
      item.db === 0 &&
      (first === undefined || (this.#isOneUnit && item.slot === first.slot));
    this.#staged.raw(buf, at, size, 1);
    this.#ends.push(this.#staged.byteCount);
    if (isRenewal(buf, at)) this.renewals.push(this.items.length);
    this.items.push(item);
    this.#hasUnits ||= !item.isRepeatable;
  }

  /** Forgets all, and may be filled again. */
  clear(): void {
    this.items.length = 0;
    this.#ends.length = 0;
    this.renewals.length = 0;
    this.#staged.clear();
    this.#hasUnits = false;
    this.isLate = false;
  }

  /** The bytes of an item's command; valid until something is added. */
  bytesOf(index: number): Buffer {
    return this.#staged.bytes.subarray(this.#from(index), this.#ends[index]!);
  }

  layout(): Layout {
    const all = this.items.map((_, index) => index);
    if (!this.#hasUnits) return { plain: all, units: [] };
    const units = new Map<number, number[]>();
    for (const { slot, isRepeatable } of this.items) if (!isRepeatable) units.set(slot, []);
    const plain = all.filter((index) => {
      const unit = units.get(this.items[index]!.slot);
      unit?.push(index);
      return unit === undefined;
    });
    return { plain, units: [...units].map(([slot, indexes]) => this.#unit(slot, indexes)) };
  }

  #unit(slot: number, indexes: readonly number[]): Unit {
    const steps: Step[] = [];
    let selected = 0;
    for (const item of indexes) {
      const { db } = this.items[item]!;
      if (db !== selected) steps.push({ select: db });
      selected = db;
      steps.push({ item });
    }
    if (selected !== 0) steps.push({ select: 0 });
    return { slot, offset: this.items[indexes.at(-1)!]!.offset, steps };
  }

  /** Writes the batch as `layout` says. */
  write(out: RequestBuffer, positionKey: (slot: number) => string): void {
    if (!this.#hasUnits) return this.#writeAll(out);
    if (this.#isOneUnit) {
      const { slot, offset } = this.items.at(-1)!;
      return writeUnit(out, positionKey(slot), offset, () => this.#writeAll(out));
    }
    const { plain, units } = this.layout();
    for (const index of plain) this.#writeItem(out, index);
    for (const { slot, offset, steps } of units) {
      writeUnit(out, positionKey(slot), offset, () => {
        for (const step of steps) {
          if ('item' in step) this.#writeItem(out, step.item);
          else writeWords(out, 'SELECT', String(step.select));
        }
      });
    }
  }

  #writeAll(out: RequestBuffer): void {
    out.raw(this.#staged.bytes, 0, this.#staged.byteCount, this.#staged.count);
  }

  #writeItem(out: RequestBuffer, index: number): void {
    const from = this.#from(index);
    out.raw(this.#staged.bytes, from, this.#ends[index]! - from, 1);
  }

  #from(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!;
  }
}

/** Whether the name begins with `PE`, as PEXPIREAT and PERSIST do, which is how a master writes them. */
function isRenewal(buf: Buffer, at: number): boolean {
  const name = at + NAME_AT;
  return (buf[name]! | LOWER) === LOWER_P && (buf[name + 1]! | LOWER) === LOWER_E;
}

/** A transaction of what `write` writes, and the position behind it. */
function writeUnit(out: RequestBuffer, key: string, offset: number, write: () => void): void {
  out.raw(MULTI, 0, MULTI.length, 1);
  write();
  writeWords(out, 'SET', key, String(offset));
  out.raw(EXEC, 0, EXEC.length, 1);
}

function writeWords(out: RequestBuffer, ...words: readonly string[]): void {
  out.begin(words.length);
  for (const word of words) out.word(word);
}
