/**
 * The quick look at many keys: which of them are surely equal. The source tells the types. Of a string a bounded range is
 * read; of other values MEMORY USAGE first, so that no large one is asked for whole, then DUMP. Payloads that are equal
 * but for their version are equal values; others are compared as portraits. What is not surely equal, and what is large,
 * is left to the judge of single keys.
 */
import { RequestBuffer } from '../../client/index.ts';
import { type Difference, compareExpiry, comparePortraits } from './differences.ts';
import type { KeyBatch } from '../flow/index.ts';
import { PortraitPainter } from './portrait.ts';
import { type Answers, type Question, type Side, ask } from '../flow/index.ts';

/** A value that takes more memory is compared in pieces. */
export const LARGE_VALUE_BYTES: number = 256 * 1024;
/** Memory of the values that are asked for in one go. */
const GROUP_BYTES_MAX: number = 4 * 1024 * 1024;
/** A longer string goes the way of other values. */
const SHORT_STRING_BYTES: number = 16 * 1024;
/** Version and checksum at the end of a payload, and the end of line. */
const TAIL_BYTES = 12;

const DOLLAR = 0x24;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const CR = 0x0d;
const LETTER_N = 0x6e;
const LETTER_I = 0x69;
const LETTER_S = 0x73;

const NOT_A_NUMBER = -3;
/** PEXPIRETIME of a key that is not there, and of one that stays. */
const MISSING = -2;
const STAYS = -1;

/** What is not surely equal: what is known already, and what must be looked at one by one. */
export class Suspects {
  readonly known: [index: number, Difference][] = [];
  readonly unsure: number[] = [];
}

export class BatchCheck {
  readonly #source: Side;
  readonly #target: Side;
  readonly #toleranceMs: number;
  readonly #painter: PortraitPainter = new PortraitPainter();

  constructor(source: Side, target: Side, toleranceMs: number) {
    this.#source = source;
    this.#target = target;
    this.#toleranceMs = toleranceMs;
  }

  /** Looks at the keys with these indexes. */
  async suspects(batch: KeyBatch, keys: readonly number[]): Promise<Suspects> {
    const found = new Suspects();
    const types = await ask(this.#source, { batch, keys, perKey: 1, write: TYPE });
    const strings: number[] = [];
    const others: number[] = [];
    for (let place = 0; place < keys.length; place++) {
      const [buf, start] = [types.bufs[place]!, types.starts[place]!];
      // `+string` and `+stream` differ in the fourth letter; `+none` is a key that went.
      if (buf[start + 1] === LETTER_S && buf[start + 4] === LETTER_I) {
        strings.push(keys[place]!);
      } else if (buf[start] === MINUS || buf[start + 1] === LETTER_N) {
        found.unsure.push(keys[place]!);
      } else {
        others.push(keys[place]!);
      }
    }
    if (strings.length > 0) await this.#checkStrings(batch, strings, others, found);
    if (others.length > 0) await this.#checkOthers(batch, others, found);
    return found;
  }

  async #checkStrings(
    batch: KeyBatch,
    keys: readonly number[],
    longOnes: number[],
    found: Suspects,
  ): Promise<void> {
    const [source, target] = await this.#both({ batch, keys, perKey: 2, write: RANGE_AND_EXPIRY });
    for (let place = 0; place < keys.length; place++) {
      const at = place * 2;
      const isSame = areSameBytes(source, target, at, place, 0);
      if (!isSame) this.#suspect(source, target, { at, place, index: keys[place]! }, found);
      else if (source.ends[at]! - source.starts[at]! > SHORT_STRING_BYTES)
        longOnes.push(keys[place]!);
      else if (!this.#hasEqualExpiry(source, target, at + 1, place)) {
        this.#suspect(source, target, { at, place, index: keys[place]! }, found);
      }
    }
  }

  /** A key that is plainly missing needs no second look. */
  #suspect(
    source: Answers,
    target: Answers,
    { at, place, index }: { readonly at: number; readonly place: number; readonly index: number },
    found: Suspects,
  ): void {
    const isGone = integer(target, at + 1, place) === MISSING;
    const stays = integer(source, at + 1, place) === STAYS;
    if (isGone && stays) found.known.push([index, { kind: 'onlyOnSource' }]);
    else found.unsure.push(index);
  }

  async #checkOthers(batch: KeyBatch, keys: readonly number[], found: Suspects): Promise<void> {
    const sizes = { batch, keys, perKey: 1, write: MEMORY_USAGE };
    const [source, target] = await this.#both(sizes);
    let group: number[] = [];
    let groupBytes = 0;
    for (let place = 0; place < keys.length; place++) {
      const [one, other] = [integer(source, place, place), integer(target, place, place)];
      const bytes = Math.max(one, other);
      // A key that is missing has no size.
      if (one < 0 || other < 0 || bytes > LARGE_VALUE_BYTES) {
        found.unsure.push(keys[place]!);
        continue;
      }
      if (groupBytes + bytes > GROUP_BYTES_MAX) {
        await this.#compareGroup(batch, group, found);
        group = [];
        groupBytes = 0;
      }
      group.push(keys[place]!);
      groupBytes += bytes;
    }
    if (group.length > 0) await this.#compareGroup(batch, group, found);
  }

  async #compareGroup(batch: KeyBatch, keys: readonly number[], found: Suspects): Promise<void> {
    const [source, target] = await this.#both({ batch, keys, perKey: 2, write: DUMP_AND_EXPIRY });
    for (let place = 0; place < keys.length; place++) {
      const isEqual =
        this.#hasEqualValues(source, target, place * 2, place) &&
        this.#hasEqualExpiry(source, target, place * 2 + 1, place);
      if (!isEqual) found.unsure.push(keys[place]!);
    }
  }

  #both(question: Question): Promise<[Answers, Answers]> {
    return Promise.all([ask(this.#source, question), ask(this.#target, question)]);
  }

  #hasEqualExpiry(source: Answers, target: Answers, at: number, place: number): boolean {
    if (areSameBytes(source, target, at, place, 0)) return true;
    const [one, other] = [integer(source, at, place), integer(target, at, place)];
    if (one < STAYS || other < STAYS) return false;
    return compareExpiry(one, other, this.#toleranceMs) === undefined;
  }

  #hasEqualValues(source: Answers, target: Answers, at: number, place: number): boolean {
    if (!isPayload(source, at, place) || !isPayload(target, at, place)) return false;
    if (areSameBytes(source, target, at, place, TAIL_BYTES)) return true;
    const one = this.#portrait(source, at, place);
    const other = this.#portrait(target, at, place);
    if (one === undefined || other === undefined) return false;
    return comparePortraits(one, other) === undefined;
  }

  #portrait(answers: Answers, at: number, place: number): ReturnType<PortraitPainter['paint']> {
    const buf = answers.bufs[place]!;
    const start = buf.indexOf(CR, answers.starts[at]) + 2;
    return this.#painter.paint(buf, start, answers.ends[at]! - 2 - start);
  }
}

/** Whether the two replies are the same but for their last `tail` bytes. */
function areSameBytes(
  source: Answers,
  target: Answers,
  at: number,
  place: number,
  tail: number,
): boolean {
  const from = source.starts[at]!;
  const size = source.ends[at]! - from;
  const otherFrom = target.starts[at]!;
  if (size !== target.ends[at]! - otherFrom) return false;
  const [buf, other] = [source.bufs[place]!, target.bufs[place]!];
  if (size > SHORT_LOOP_BYTES) {
    return buf.compare(other, otherFrom, otherFrom + size - tail, from, from + size - tail) === 0;
  }
  for (let i = 0; i < size - tail; i++) if (buf[from + i] !== other[otherFrom + i]) return false;
  return true;
}

/** Up to here a loop is faster than a call into the runtime. */
const SHORT_LOOP_BYTES = 64;

/** A bulk string that is not null; errors are none. */
function isPayload({ bufs, starts }: Answers, at: number, place: number): boolean {
  const buf = bufs[place]!;
  return buf[starts[at]!] === DOLLAR && buf[starts[at]! + 1] !== MINUS;
}

function integer({ bufs, starts }: Answers, at: number, place: number): number {
  const buf = bufs[place]!;
  let pos = starts[at]!;
  if (buf[pos++] !== COLON) return NOT_A_NUMBER;
  const isNegative = buf[pos] === MINUS;
  if (isNegative) pos++;
  let value = 0;
  for (; buf[pos] !== CR; pos++) value = value * 10 + buf[pos]! - ZERO;
  return isNegative ? -value : value;
}

/** Writes a command that consists of words, the key, and more words. */
function about(words: readonly string[], more: readonly string[] = []): Question['write'] {
  const head = new RequestBuffer();
  head.begin(words.length + 1 + more.length);
  for (const word of words) head.word(word);
  const headBytes = head.take();
  for (const word of more) head.word(word);
  const tailBytes = head.take();
  return (out, { buf, at, size }, index) => {
    out.raw(headBytes, 0, headBytes.length, 1);
    out.argument(buf, at[index]!, size[index]!);
    if (tailBytes.length > 0) out.raw(tailBytes, 0, tailBytes.length, 0);
  };
}

function oneAfterTheOther(first: Question['write'], second: Question['write']): Question['write'] {
  return (out, batch, index) => {
    first(out, batch, index);
    second(out, batch, index);
  };
}

const TYPE = about(['TYPE']);
const MEMORY_USAGE = about(['MEMORY', 'USAGE']);
const EXPIRY = about(['PEXPIRETIME']);
const RANGE_AND_EXPIRY = oneAfterTheOther(
  about(['GETRANGE'], ['0', String(SHORT_STRING_BYTES)]),
  EXPIRY,
);
const DUMP_AND_EXPIRY = oneAfterTheOther(about(['DUMP']), EXPIRY);
