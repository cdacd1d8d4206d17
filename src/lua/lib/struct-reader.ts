/** The values that the bytes of C in a text stand for. Source: behaviour of redis-server 7.0.15. */
import { argumentError, callError } from '../arguments.ts';
import type { LuaValue } from '../values.ts';
import { readUnsigned64, reversed } from './byte-text.ts';
import { textNumber } from './numbers.ts';
import { type Step, mistakeOf, paddingAt } from './struct-format.ts';

/** Places for arguments and results of a call. */
const STACK_MAX = 8000;
/** Integers of so many bytes are exact as numbers. */
const SMALL_BYTES = 6;
const LONG_BYTES = 8;
const HALF_LIMIT = 2 ** 32;
/** Above the integers of so many bytes. */
const LIMITS: readonly number[] = Array.from({ length: SMALL_BYTES + 1 }, (_, size) => 256 ** size);

const floatBytes = new Uint8Array(LONG_BYTES);
const floatView = new DataView(floatBytes.buffer);

export class StructReader {
  readonly #text: string;
  readonly #valuesMax: number;
  readonly #values: LuaValue[] = [];
  #at = 0;

  constructor(text: string, argumentCount: number) {
    this.#text = text;
    this.#valuesMax = STACK_MAX - 2 - argumentCount;
  }

  /** All values from an index on, and the place (from 1) behind the last one. */
  values(steps: readonly Step[], start: number): LuaValue[] {
    const values = this.#values;
    this.#at = start;
    for (const step of steps) {
      const { kind, size, unit } = step;
      if (kind === 'fail' && step.mistake?.isOfSize === true) throw mistakeOf(step);
      if (unit > 1) this.#at += paddingAt(unit, this.#at);
      this.#need(size);
      if (values.length > this.#valuesMax) throw callError('stack overflow (too many results)');
      if (kind === 'integer') values.push(this.#integer(step));
      else if (kind === 'skip') this.#at++;
      else if (kind === 'fail') throw mistakeOf(step);
      else if (kind !== 'none') values.push(this.#value(step));
    }
    values.push(this.#at + 1);
    return values;
  }

  #need(size: number): void {
    if (this.#at + size > this.#text.length) throw argumentError(2, 'data string too short');
  }

  #value({ kind, size, isLittle }: Step): LuaValue {
    if (kind === 'text') return this.#terminated();
    if (kind === 'bytes') return this.#characters(size);
    const text = this.#text;
    const at = this.#at;
    for (let index = 0; index < size; index++) floatBytes[index] = text.charCodeAt(at + index);
    this.#at += size;
    return kind === 'float' ? floatView.getFloat32(0, isLittle) : floatView.getFloat64(0, isLittle);
  }

  #integer({ size, isLittle, isSigned }: Step): number {
    const at = this.#at;
    this.#at += size;
    if (size > 0 && size <= SMALL_BYTES) {
      const value = this.#unsigned(at, size, isLittle);
      const limit = LIMITS[size]!;
      return isSigned && value >= limit / 2 ? value - limit : value;
    }
    if (size === LONG_BYTES) {
      const low = this.#unsigned(isLittle ? at : at + 4, 4, isLittle);
      const high = this.#unsigned(isLittle ? at + 4 : at, 4, isLittle);
      // The product is exact, and so their sum is rounded once.
      return (isSigned ? high | 0 : high) * HALF_LIMIT + low;
    }
    const bytes = this.#text.slice(at, at + size);
    return integerOf(isLittle ? reversed(bytes) : bytes, isSigned);
  }

  #unsigned(at: number, size: number, isLittle: boolean): number {
    const text = this.#text;
    if (size === 1) return text.charCodeAt(at);
    if (size === 2 || size === 4) {
      const step = isLittle ? -1 : 1;
      const first = isLittle ? at + size - 1 : at;
      const high = (text.charCodeAt(first) << 8) | text.charCodeAt(first + step);
      if (size === 2) return high;
      const low = (text.charCodeAt(first + 2 * step) << 8) | text.charCodeAt(first + 3 * step);
      return high * 0x10000 + low;
    }
    let value = 0;
    if (isLittle) {
      for (let index = at + size - 1; index >= at; index--) {
        value = value * 256 + text.charCodeAt(index);
      }
    } else {
      for (let index = at; index < at + size; index++) value = value * 256 + text.charCodeAt(index);
    }
    return value;
  }

  #terminated(): string {
    const end = this.#text.indexOf('\0', this.#at);
    if (end < 0) throw callError('unfinished string in data');
    const text = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return text;
  }

  #characters(size: number): string {
    let length = size;
    if (length === 0) {
      const last = this.#values.at(-1);
      const number = typeof last === 'string' ? textNumber(last) : last;
      if (typeof number !== 'number') throw callError("format 'c0' needs a previous size");
      this.#values.pop();
      length = number >= 0 ? Math.trunc(number) : Infinity;
      this.#need(length);
    }
    const start = this.#at;
    this.#at += length;
    return this.#text.slice(start, this.#at);
  }
}

/** An integer, its highest byte first, of any size. */
function integerOf(bytes: string, isSigned: boolean): number {
  const size = bytes.length;
  const value = readUnsigned64(bytes, 0, size);
  if (!isSigned) return Number(value);
  // The sign's place is counted modulo 64 there, so that larger sizes have it anywhere.
  const signs = BigInt.asUintN(64, -1n << BigInt((size * 8 - 1) & 63));
  return Number(BigInt.asIntN(64, (value & signs) === 0n ? value : value | signs));
}
