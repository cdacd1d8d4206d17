/** The formats of `struct`: letters with sizes, byte order and alignment. Source: behaviour of redis-server 7.0.15. */
import { argumentError } from '../arguments.ts';
import { callError } from './arguments.ts';

/** Largest integers, in bytes. */
const INTEGER_BYTES_MAX = 32;
/** Alignment of `!` without a number. */
const ALIGNMENT_DEFAULT = 8;
const NUMBER_MAX = 2 ** 31 - 1;

const SIZES: Readonly<Record<string, number>> = {
  b: 1,
  B: 1,
  h: 2,
  H: 2,
  l: 8,
  L: 8,
  T: 8,
  f: 4,
  d: 8,
  x: 1,
};

/** Reads a format, one letter after the other. A zero byte ends it. */
export class StructFormat {
  readonly #format: string;
  #at = 0;
  #alignment = 1;
  isLittle = true;
  /** The letter read last, and the bytes that it stands for; 0 where others tell. */
  letter = '';
  size = 0;

  constructor(format: string) {
    const zeroAt = format.indexOf('\0');
    this.#format = zeroAt < 0 ? format : format.slice(0, zeroAt);
  }

  /** Goes to the next letter. */
  next(): boolean {
    if (this.#at >= this.#format.length) return false;
    this.letter = this.#format[this.#at++]!;
    this.size = this.#sizeOf(this.letter);
    return true;
  }

  /** Bytes to pass over before the letter read last, if so many came before it. */
  paddingAt(length: number): number {
    if (this.size === 0 || this.letter === 'c') return 0;
    const unit = Math.min(this.size, this.#alignment);
    // Lengths go beyond 32 bits, units do not; those that are no power of two are masks all the same.
    return (unit - ((length % 2 ** 31) & (unit - 1))) & (unit - 1);
  }

  /** Carries out a letter that stands for no value. */
  control(): void {
    switch (this.letter) {
      case ' ':
        return;
      case '>':
        this.isLittle = false;
        return;
      case '<':
        this.isLittle = true;
        return;
      case '!': {
        const alignment = this.#number(ALIGNMENT_DEFAULT);
        if (alignment === 0 || (alignment & (alignment - 1)) !== 0) {
          throw callError(`alignment ${alignment} is not a power of 2`);
        }
        this.#alignment = alignment;
        return;
      }
      default:
        throw argumentError(1, `invalid format option '${this.letter}'`);
    }
  }

  #sizeOf(letter: string): number {
    if (letter === 'c') return this.#number(1);
    if (letter !== 'i' && letter !== 'I') return SIZES[letter] ?? 0;
    const size = this.#number(4);
    if (size > INTEGER_BYTES_MAX) {
      throw callError(`integral size ${size} is larger than limit of ${INTEGER_BYTES_MAX}`);
    }
    return size;
  }

  #number(fallback: number): number {
    const start = this.#at;
    let value = 0;
    for (; this.#at < this.#format.length; this.#at++) {
      const digit = this.#format.charCodeAt(this.#at) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (value > NUMBER_MAX) throw callError('integral size overflow');
    }
    return this.#at === start ? fallback : value;
  }
}
