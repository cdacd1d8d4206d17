/** Containers in their plain form: a count, then the elements as strings. */
import { StringSlot } from './cursor.ts';
import type { RdbCursor } from './cursor.ts';
import { TYPE_ZSET } from './format.ts';
import { parseScore } from './scores.ts';
import type { ContainerKind, ValueSink } from './value.ts';
import type { ReadOutcome, ValueDecoder } from './value-decoder.ts';

/** Lengths of text scores that stand for what is not a plain number. */
const TEXT_NAN = 253;
const TEXT_POSITIVE_INFINITY = 254;
const TEXT_NEGATIVE_INFINITY = 255;

/** The count, then `one` for each element. */
abstract class CountedDecoder implements ValueDecoder {
  protected readonly slot: StringSlot = new StringSlot();
  readonly #kind: ContainerKind;
  #left = -1;

  constructor(kind: ContainerKind) {
    this.#kind = kind;
  }

  begin(_type: number): void {
    this.#left = -1;
  }

  read(cursor: RdbCursor, sink: ValueSink): ReadOutcome {
    let from = cursor.at;
    if (this.#left < 0) {
      const count = cursor.plainLength();
      if (count === undefined) {
        cursor.at = from;
        return 'more';
      }
      if (count === 0) return 'empty';
      this.#left = count;
      sink.container(this.#kind, count);
    }
    while (this.#left > 0) {
      from = cursor.at;
      if (!this.one(cursor, sink)) {
        cursor.at = from;
        return 'more';
      }
      this.#left--;
    }
    return 'done';
  }

  /** Reads an element and hands it on; false when it could not. */
  protected abstract one(cursor: RdbCursor, sink: ValueSink): boolean;
}

export class ListDecoder extends CountedDecoder {
  constructor() {
    super('list');
  }

  protected override one(cursor: RdbCursor, sink: ValueSink): boolean {
    return cursor.string(this.slot) && sink.element(this.slot);
  }
}

export class SetDecoder extends CountedDecoder {
  constructor() {
    super('set');
  }

  protected override one(cursor: RdbCursor, sink: ValueSink): boolean {
    if (!cursor.string(this.slot)) return false;
    return sink.element(this.slot) || cursor.refuse('Duplicate set members detected');
  }
}

export class HashDecoder extends CountedDecoder {
  readonly #value: StringSlot = new StringSlot();

  constructor() {
    super('hash');
  }

  protected override one(cursor: RdbCursor, sink: ValueSink): boolean {
    if (!cursor.string(this.slot) || !cursor.string(this.#value)) return false;
    return sink.field(this.slot, this.#value) || cursor.refuse('Duplicate hash fields detected');
  }
}

export class ZsetDecoder extends CountedDecoder {
  #isText = false;

  constructor() {
    super('zset');
  }

  override begin(type: number): void {
    super.begin(type);
    this.#isText = type === TYPE_ZSET;
  }

  protected override one(cursor: RdbCursor, sink: ValueSink): boolean {
    if (!cursor.string(this.slot)) return false;
    const score = this.#isText ? textScore(cursor) : binaryScore(cursor);
    if (score === undefined) return false;
    if (Number.isNaN(score)) return cursor.refuse('Zset with NAN score detected');
    return sink.scored(this.slot, score) || cursor.refuse('Duplicate zset fields detected');
  }
}

function binaryScore(cursor: RdbCursor): number | undefined {
  if (!cursor.has(8)) return undefined;
  cursor.at += 8;
  return cursor.buf.readDoubleLE(cursor.at - 8);
}

function textScore(cursor: RdbCursor): number | undefined {
  const size = cursor.byte();
  if (size === undefined) return undefined;
  if (size === TEXT_NAN) return Number.NaN;
  if (size === TEXT_POSITIVE_INFINITY) return Infinity;
  if (size === TEXT_NEGATIVE_INFINITY) return -Infinity;
  if (!cursor.has(size)) return undefined;
  const score = parseScore(cursor.buf, cursor.at, size);
  cursor.at += size;
  return score;
}
