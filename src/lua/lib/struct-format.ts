/** The formats of `struct`: letters with sizes, byte order and alignment. Source: behaviour of redis-server 7.0.15. */
import { argumentError, callError } from '../arguments.ts';
import { LuaError } from '../values.ts';
import { TextCache } from './text-cache.ts';

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

/** What a letter of a format does. */
export type StepKind = 'none' | 'fail' | 'skip' | 'bytes' | 'text' | 'float' | 'double' | 'integer';

/** A letter of a format. */
export interface Step {
  readonly kind: StepKind;
  /** Bytes that it stands for; 0 where others tell. */
  readonly size: number;
  /** What its place is a multiple of. */
  readonly unit: number;
  readonly isLittle: boolean;
  readonly isSigned: boolean;
  /** Of `fail`: what is wrong with the format, and whether it is its size, which is read before anything is done. */
  readonly mistake: { readonly error: LuaError; readonly isOfSize: boolean } | undefined;
}

const KINDS: Readonly<Record<string, StepKind>> = {
  x: 'skip',
  c: 'bytes',
  s: 'text',
  f: 'float',
  d: 'double',
};
const INTEGERS = 'bBhHlLTiI';

const steps = new TextCache(stepsOf);

/** The letters of a format, up to the first one that is wrong. */
export function formatSteps(format: string): readonly Step[] {
  return steps.get(format);
}

function stepsOf(format: string): readonly Step[] {
  const layout = new StructFormat(format);
  const list: Step[] = [];
  let isOfSize = true;
  try {
    while (layout.next()) {
      isOfSize = false;
      const step = stepOf(layout);
      if (step.kind === 'none') layout.control();
      list.push(step);
      isOfSize = true;
    }
  } catch (error) {
    if (!(error instanceof LuaError)) throw error;
    list.push({ ...NO_STEP, kind: 'fail', mistake: { error, isOfSize } });
  }
  // What stands before the first value and only sets something needs no step of its own.
  const firstLoud = list.findIndex(({ kind }) => kind !== 'none');
  return firstLoud < 0 || list[firstLoud]!.kind === 'fail' ? list : list.slice(firstLoud);
}

const NO_STEP: Step = {
  kind: 'none',
  size: 0,
  unit: 1,
  isLittle: true,
  isSigned: false,
  mistake: undefined,
};

function stepOf({ letter, size, isLittle, unit }: StructFormat): Step {
  const isInteger = INTEGERS.includes(letter);
  const kind = isInteger ? 'integer' : (KINDS[letter] ?? 'none');
  return { ...NO_STEP, kind, size, unit, isLittle, isSigned: letter >= 'a' };
}

/** Bytes to pass over before what a letter stands for, if so many came before it. */
export function paddingAt(unit: number, length: number): number {
  // Lengths go beyond 32 bits, units do not; those that are no power of two are masks all the same.
  return (unit - ((length % 2 ** 31) & (unit - 1))) & (unit - 1);
}

/** The mistake of a format as an error of its own, as each is completed with its place. */
export function mistakeOf({ mistake }: Step): LuaError {
  const { value, level, argument } = mistake!.error;
  return new LuaError(value, level, argument);
}

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

  /** What the place of the letter read last is a multiple of. */
  get unit(): number {
    return this.size === 0 || this.letter === 'c' ? 1 : Math.min(this.size, this.#alignment);
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
