/** The library `struct`: numbers and texts as the bytes of C. Source: behaviour of redis-server 7.0.15. */
import { argumentError } from '../arguments.ts';
import type { Lua } from '../lua.ts';
import type { LuaValue } from '../values.ts';
import { callError, integerArgument, numberArgument, tableOf, textArgument } from './arguments.ts';
import { appended } from './bounded-text.ts';
import {
  bytesOf,
  doubleBytes,
  floatBytes,
  readDouble,
  readFloat,
  readUnsigned,
  readUnsigned64,
  reversed,
  smallBytes,
} from './byte-text.ts';
import { unsignedBits } from './number-format.ts';
import { textNumber } from './numbers.ts';
import { StructFormat } from './struct-format.ts';

/** Places for arguments and results of a call. */
const STACK_MAX = 8000;
/** Integers of so many bytes are exact as numbers. */
const SMALL_BYTES = 6;

export function installStructLibrary(lua: Lua): void {
  lua.globals.setString(
    'struct',
    tableOf({
      pack(...args) {
        return pack(textArgument(args[0], 1, args.length), args);
      },
      unpack(format, data, position) {
        const { length } = arguments;
        const layout = new StructFormat(textArgument(format, 1, length));
        const text = textArgument(data, 2, length);
        const first = position === undefined ? 1 : integerArgument(position, 3, 3);
        if (first === 0) throw argumentError(3, 'offset must be 1 or greater');
        // Below 1, the place is one far beyond any text there.
        return new Unpacking(layout, text, length).values(first < 1 ? Infinity : first - 1);
      },
      size(format) {
        return sizeOf(new StructFormat(textArgument(format, 1, arguments.length)));
      },
    }),
  );
}

function sizeOf(layout: StructFormat): number {
  let total = 0;
  while (layout.next()) {
    const { letter, size } = layout;
    total += layout.paddingAt(total) + size;
    if (letter === 's') throw argumentError(1, "option 's' has no fixed size");
    if (letter === 'c' && size === 0) throw argumentError(1, "option 'c0' has no fixed size");
    if (!/[a-z0-9]/i.test(letter)) layout.control();
  }
  return total;
}

function pack(format: string, args: readonly LuaValue[]): string {
  const layout = new StructFormat(format);
  let text = '';
  let index = 1;
  while (layout.next()) {
    text += '\0'.repeat(layout.paddingAt(text.length));
    if (layout.letter === 'x') text += '\0';
    else if (isValue(layout.letter)) {
      index++;
      text = appended(text, packed(layout, args[index - 1], index));
    } else layout.control();
  }
  return text;
}

function isValue(letter: string): boolean {
  return letter !== '' && 'bBhHlLTiIfdcs'.includes(letter);
}

function packed(layout: StructFormat, value: LuaValue, index: number): string {
  const { letter, size } = layout;
  if (letter === 'c' || letter === 's') {
    const text = textArgument(value, index, index);
    // The library counts on before it complains.
    if (text.length < size) throw argumentError(index + 1, 'string too short');
    return letter === 's' ? `${text}\0` : size === 0 ? text : text.slice(0, size);
  }
  const number = numberArgument(value, index, index);
  const bytes =
    letter === 'f'
      ? floatBytes(number)
      : letter === 'd'
        ? doubleBytes(number)
        : integerBytes(Math.trunc(number), size);
  return layout.isLittle ? reversed(bytes) : bytes;
}

function integerBytes(integer: number, size: number): string {
  const isSmall = size <= SMALL_BYTES && Number.isSafeInteger(integer);
  return isSmall ? smallBytes(integer, size) : bytesOf(unsignedBits(integer), size);
}

class Unpacking {
  readonly #layout: StructFormat;
  readonly #text: string;
  readonly #valuesMax: number;
  readonly #values: LuaValue[] = [];
  #at = 0;

  constructor(layout: StructFormat, text: string, argumentCount: number) {
    this.#layout = layout;
    this.#text = text;
    this.#valuesMax = STACK_MAX - 2 - argumentCount;
  }

  /** All values from an index on, and the place (from 1) behind the last one. */
  values(start: number): LuaValue[] {
    const layout = this.#layout;
    this.#at = start;
    while (layout.next()) {
      this.#at += layout.paddingAt(this.#at);
      this.#need(layout.size);
      if (this.#values.length > this.#valuesMax)
        throw callError('stack overflow (too many results)');
      if (layout.letter === 'x') this.#at++;
      else if (isValue(layout.letter)) this.#values.push(this.#value());
      else layout.control();
    }
    this.#values.push(this.#at + 1);
    return this.#values;
  }

  #need(size: number): void {
    if (this.#at + size > this.#text.length) throw argumentError(2, 'data string too short');
  }

  #value(): LuaValue {
    const { letter, size } = this.#layout;
    if (letter === 's') return this.#terminated();
    if (letter === 'c') return this.#characters(size);
    const start = this.#at;
    this.#at += size;
    const { isLittle } = this.#layout;
    const bytes = this.#text.slice(start, start + size);
    const ordered = isLittle ? reversed(bytes) : bytes;
    if (letter === 'f') return readFloat(ordered, 0);
    if (letter === 'd') return readDouble(ordered, 0);
    return integerOf(ordered, letter >= 'a');
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
  if (size > 0 && size <= SMALL_BYTES) {
    const value = readUnsigned(bytes, 0, size);
    const limit = 2 ** (8 * size);
    return isSigned && value >= limit / 2 ? value - limit : value;
  }
  const value = readUnsigned64(bytes, 0, size);
  if (!isSigned) return Number(value);
  // The sign's place is counted modulo 64 there, so that larger sizes have it anywhere.
  const signs = BigInt.asUintN(64, -1n << BigInt((size * 8 - 1) & 63));
  return Number(BigInt.asIntN(64, (value & signs) === 0n ? value : value | signs));
}
