/**
 * How values are read. A type joins by its decoder in a table; a decoder may take its value element by element over
 * any number of chunks, so that a large container needs no second pass.
 */
import type { RdbCursor } from './cursor.ts';
import { StringSlot } from './cursor.ts';
import { TYPE_STRING } from './format.ts';
import type { RdbString, RdbValue } from './value.ts';

/** Reads one type of value. Kept and reused for all values of that type. */
export interface ValueDecoder {
  /** Forgets what was read: a new value of `type` begins. */
  begin(type: number): void;
  /**
   * Reads on. Bytes before `cursor.at` count as consumed when it returns, so it moves back what it could not use.
   * @returns the value when it is complete; otherwise `undefined`, for more bytes or with `cursor.problem` set
   */
  read(cursor: RdbCursor): RdbValue | undefined;
}

/** By type number. */
export type ValueDecoders = ReadonlyMap<number, ValueDecoder>;

class StringDecoder extends StringSlot implements RdbString, ValueDecoder {
  readonly kind = 'string' as const;

  begin(): void {
    this.set(this.buf, 0, 0);
  }

  read(cursor: RdbCursor): RdbValue | undefined {
    const from = cursor.at;
    if (cursor.string(this)) return this;
    cursor.at = from;
    return undefined;
  }
}

/** Fresh decoders of all types built so far. */
export function createDecoders(): ValueDecoders {
  return new Map<number, ValueDecoder>([[TYPE_STRING, new StringDecoder()]]);
}
