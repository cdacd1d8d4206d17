/**
 * Values taken out of a snapshot as they stand, for RESTORE at another server: nothing of them is decoded, only their
 * end is found. A value that is larger than is wanted whole goes to the ordinary decoder of its type, part by part;
 * streams and values of modules always come whole.
 */
import type { RdbCursor } from './cursor.ts';
import { createDecoders } from './decoders.ts';
import { createForeignDecoders, skipModuleId, skipModulePart } from './foreign-decoders.ts';
import {
  TYPE_HASH,
  TYPE_HASH_FIELD_EXPIRY,
  TYPE_HASH_FIELD_EXPIRY_LISTPACK,
  TYPE_HASH_FIELD_EXPIRY_TABLE,
  TYPE_LIST,
  TYPE_LIST_QUICKLIST,
  TYPE_LIST_QUICKLIST_2,
  TYPE_MODULE_2,
  TYPE_SET,
  TYPE_STREAM_LISTPACKS,
  TYPE_STREAM_LISTPACKS_2,
  TYPE_STREAM_LISTPACKS_3,
  TYPE_ZSET,
  TYPE_ZSET_2,
} from './format.ts';
import type { Bytes, ValueSink } from './value.ts';
import type { ReadOutcome, ValueDecoder, ValueDecoders } from './value-decoder.ts';

/** Given each whole value: the type byte and the bytes behind it, valid until it returns. */
export type RawValue = (type: number, value: Bytes) => void;

/** What stands next: so many bytes, one of the basic forms, or a count and then a group of steps so many times. */
type Step = number | 'string' | 'length' | 'textScore' | readonly Step[];

const ID_BYTES = 16;
const PAIR: readonly Step[] = ['string', 'string'];

function streamSteps(extraFacts: number, groupFacts: number, consumerTimes: number): Step[] {
  const lengths = (count: number): Step[] => Array.from({ length: count }, () => 'length' as const);
  const pending: readonly Step[] = [ID_BYTES, 8, 'length'];
  const consumer: readonly Step[] = ['string', 8 * consumerTimes, [ID_BYTES]];
  return [
    PAIR,
    ...lengths(3 + extraFacts),
    ['string', ...lengths(groupFacts), pending, [...consumer]],
  ];
}

const STEPS: ReadonlyMap<number, readonly Step[]> = new Map<number, readonly Step[]>([
  [TYPE_LIST, [['string']]],
  [TYPE_SET, [['string']]],
  [TYPE_LIST_QUICKLIST, [['string']]],
  [TYPE_HASH, [PAIR]],
  [TYPE_ZSET, [['string', 'textScore']]],
  [TYPE_ZSET_2, [['string', 8]]],
  [TYPE_LIST_QUICKLIST_2, [['length', 'string']]],
  [TYPE_STREAM_LISTPACKS, streamSteps(0, 2, 1)],
  [TYPE_STREAM_LISTPACKS_2, streamSteps(5, 3, 1)],
  [TYPE_STREAM_LISTPACKS_3, streamSteps(5, 3, 2)],
  [TYPE_HASH_FIELD_EXPIRY, [['string', 'string', 8]]],
  [TYPE_HASH_FIELD_EXPIRY_TABLE, [8, ['length', 'string', 'string']]],
  [TYPE_HASH_FIELD_EXPIRY_LISTPACK, [8, 'string']],
]);
/** Types whose values always come whole. */
const NEVER_CUT: ReadonlySet<number> = new Set([
  TYPE_MODULE_2,
  TYPE_STREAM_LISTPACKS,
  TYPE_STREAM_LISTPACKS_2,
  TYPE_STREAM_LISTPACKS_3,
]);
/** A text score's size byte from here on stands for NaN or infinity. */
const TEXT_SCORE_SPECIAL = 253;

/**
 * Decoders that give `onValue` each value of up to `bytesMax` bytes (streams and values of modules of any size), while the
 * sink gets nothing of it; the parts of larger values go to the sink. Hashes with fields that expire are among them.
 */
export function createRawDecoders(onValue: RawValue, bytesMax: number): ValueDecoders {
  return new Map(
    [...createDecoders(), ...createForeignDecoders()].map(([type, decoder]) => {
      const limit = NEVER_CUT.has(type) ? Infinity : bytesMax;
      return [type, new RawDecoder(decoder, onValue, limit)];
    }),
  );
}

/** Steps under way: `left` more times, and at `index` this time. */
interface Frame {
  readonly steps: readonly Step[];
  index: number;
  left: number;
}

class RawDecoder implements ValueDecoder {
  readonly #ordinary: ValueDecoder;
  readonly #onValue: RawValue;
  readonly #bytesMax: number;
  #type = 0;
  /** Whether the value proved too large and the ordinary decoder has it. */
  #isHandedOver = false;
  /** Bytes of the value that are walked. */
  #done = 0;
  /** Undefined for what is one string: strings, and containers packed into one. */
  #steps: readonly Step[] | undefined;
  readonly #open: Frame[] = [];
  #isEmpty = false;

  constructor(ordinary: ValueDecoder, onValue: RawValue, bytesMax: number) {
    this.#ordinary = ordinary;
    this.#onValue = onValue;
    this.#bytesMax = bytesMax;
  }

  begin(type: number): void {
    this.#type = type;
    this.#isHandedOver = false;
    this.#done = 0;
    this.#isEmpty = false;
    this.#steps = STEPS.get(type);
    this.#open.length = 0;
    if (this.#steps !== undefined) this.#open.push({ steps: this.#steps, index: 0, left: 1 });
  }

  read(cursor: RdbCursor, sink: ValueSink): ReadOutcome {
    if (this.#isHandedOver) return this.#ordinary.read(cursor, sink);
    const from = cursor.at;
    cursor.at = from + this.#done;
    const isWhole = this.#isAtEnd(cursor, from);
    if (this.#isEmpty) return 'empty';
    const size = Math.max(cursor.at, isWhole ? 0 : cursor.needEnd) - from;
    if (size > this.#bytesMax && cursor.problem === '') {
      cursor.at = from;
      this.#isHandedOver = true;
      this.#ordinary.begin(this.#type);
      return this.#ordinary.read(cursor, sink);
    }
    if (!isWhole) {
      cursor.at = from;
      return 'more';
    }
    this.#onValue(this.#type, { buf: cursor.buf, at: from, size });
    return 'done';
  }

  #isAtEnd(cursor: RdbCursor, from: number): boolean {
    if (this.#type === TYPE_MODULE_2) return this.#walkModule(cursor, from);
    return this.#steps === undefined ? cursor.skipString() : this.#walk(cursor, from);
  }

  #walkModule(cursor: RdbCursor, from: number): boolean {
    for (;;) {
      const at = cursor.at;
      const part = this.#done === 0 ? skipModuleId(cursor) : skipModulePart(cursor);
      if (part === 'end') return true;
      if (part === 'more') {
        cursor.at = at;
        return false;
      }
      this.#done = cursor.at - from;
    }
  }

  /** Walks on to the end of the value; false when bytes are lacking or wrong. Leaves the cursor where it came to. */
  #walk(cursor: RdbCursor, from: number): boolean {
    const open = this.#open;
    for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
      if (frame.left === 0) {
        open.pop();
        continue;
      }
      const step = frame.steps[frame.index];
      if (step === undefined) {
        frame.index = 0;
        frame.left--;
        continue;
      }
      const at = cursor.at;
      const isTaken = typeof step === 'object' ? this.#begin(cursor, step) : skip(cursor, step);
      if (!isTaken) {
        cursor.at = at;
        return false;
      }
      frame.index++;
      this.#done = cursor.at - from;
      if (this.#isEmpty) return false;
    }
    return true;
  }

  #begin(cursor: RdbCursor, steps: readonly Step[]): boolean {
    const count = cursor.plainLength();
    if (count === undefined) return false;
    if (count === 0 && this.#open.length === 1 && !NEVER_CUT.has(this.#type)) this.#isEmpty = true;
    else this.#open.push({ steps, index: 0, left: count });
    return true;
  }
}

function skip(cursor: RdbCursor, step: Exclude<Step, readonly Step[]>): boolean {
  if (step === 'length') return cursor.plainLength() !== undefined;
  if (step === 'string') return cursor.skipString();
  if (step !== 'textScore') return skipBytes(cursor, step);
  const size = cursor.byte();
  return size !== undefined && (size >= TEXT_SCORE_SPECIAL || skipBytes(cursor, size));
}

function skipBytes(cursor: RdbCursor, size: number): boolean {
  if (!cursor.has(size)) return false;
  cursor.at += size;
  return true;
}
