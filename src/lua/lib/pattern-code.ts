/**
 * Lua's patterns as JavaScript: a function that looks for one pattern, each item of it a comparison or a loop that holds the
 * code of all items behind it. Nothing of a pattern's text gets into the code but numbers. What follows a run of characters
 * mostly cannot begin with one of them; such a run needs no second trial, shorter than the first.
 */
import { rangesOf } from './pattern-expression.ts';
import type { OneItem, PatternItem } from './pattern-items.ts';

/** Looks for a match from an index on; answers where it begins, or -1. Its other places are in `places`. */
export type Finder = (subject: string, from: number) => number;

/**
 * Places of the last match that a finder found: its end, then of each capture the start and the end, which is POSITION for
 * one that is a position. To be read before any finder is called again.
 */
export const places: Int32Array = new Int32Array(2 * 32 + 1);
export const POSITION = -1;

/** Loops inside each other; more are left to others. */
const LOOPS_MAX = 12;
const ITEMS_MAX = 100;
/** Sets of more ranges are looked up in a table. */
const RANGES_MAX = 3;

/** @returns undefined for a pattern with too many items */
export function finderOf(items: readonly PatternItem[], isAnchored: boolean): Finder | undefined {
  const loops = items.filter((item) => item.kind === 'one' && item.repetition !== '');
  if (items.length > ITEMS_MAX || loops.length > LOOPS_MAX) return undefined;
  const writer = new FinderWriter(items);
  const body = writer.rest(0, { base: 'i', offset: 0 }, isAnchored ? 'return -1;' : 'continue S;');
  const start = isAnchored ? 'const i = from;' : 'S: for (let i = from; i <= n; i++) {';
  const end = isAnchored ? '' : '} return -1;';
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- compiling is what this is for; see above
  const make = new Function(
    'r',
    't',
    `'use strict'; return (s, from) => { const n = s.length; let c = 0; ${start} ${body} ${end} };`,
  ) as (places: Int32Array, tables: readonly Uint8Array[]) => Finder;
  return make(places, writer.tables);
}

/** An index as code: a variable that stays the same, and a number. */
interface Place {
  readonly base: string;
  readonly offset: number;
}

class FinderWriter {
  readonly #items: readonly PatternItem[];
  readonly tables: Uint8Array[] = [];
  /** Code of the start and the end of each capture that has been passed. */
  readonly #captures: { start: string; end: string }[] = [];

  constructor(items: readonly PatternItem[]) {
    this.#items = items;
  }

  /** The items from one on: returns if they match, else carries out `fail`. */
  rest(index: number, place: Place, fail: string): string {
    const at = codeOf(place);
    const item = this.#items[index];
    if (item === undefined) return this.#success(at);
    switch (item.kind) {
      case 'open':
        this.#captures.push({ start: at, end: item.isPosition ? String(POSITION) : '' });
        return this.rest(index + 1, place, fail);
      case 'close':
        this.#captures.findLast(({ end }) => end === '')!.end = at;
        return this.rest(index + 1, place, fail);
      case 'end':
        return `if (${at} !== n) { ${fail} } ${this.rest(index + 1, place, fail)}`;
      case 'one':
        if (item.repetition !== '') return this.#repeated(item, index, place, fail);
        return (
          `if (!(${at} < n && ${this.#test(item.bytes, at)})) { ${fail} } ` +
          this.rest(index + 1, { ...place, offset: place.offset + 1 }, fail)
        );
    }
  }

  #success(end: string): string {
    const sets = this.#captures.map(
      (capture, index) =>
        `r[${2 * index + 1}] = ${capture.start}; r[${2 * index + 2}] = ${capture.end};`,
    );
    return `r[0] = ${end}; ${sets.join(' ')} return i;`;
  }

  #repeated({ bytes, repetition }: OneItem, index: number, place: Place, fail: string): string {
    const at = codeOf(place);
    const name = `e${index}`;
    const behind = { base: name, offset: 0 };
    if (repetition === '-') {
      const isMore = `${name} <= n && ${this.#test(bytes, `${name} - 1`)}`;
      const inner = this.rest(index + 1, behind, `continue L${index};`);
      return (
        `L${index}: for (let ${name} = ${at}; ; ${name}++) { ` +
        `if (${name} > ${at} && !(${isMore})) { ${fail} } ${inner} }`
      );
    }
    const limit = repetition === '?' ? ` && ${name} === ${at}` : '';
    const run = `let ${name} = ${at}; while (${name} < n${limit} && ${this.#test(bytes, name)}) ${name}++;`;
    const least = repetition === '+' ? codeOf({ ...place, offset: place.offset + 1 }) : at;
    if (this.#isDecided(index + 1, bytes)) {
      const check = repetition === '+' ? `if (${name} < ${least}) { ${fail} }` : '';
      return `${run} ${check} ${this.rest(index + 1, behind, fail)}`;
    }
    const inner = this.rest(index + 1, behind, `continue L${index};`);
    return `${run} L${index}: for (; ${name} >= ${least}; ${name}--) { ${inner} } ${fail}`;
  }

  /** Whether no shorter run of `bytes` can match if the longest does not: the items behind begin with none of them. */
  #isDecided(index: number, bytes: Uint8Array): boolean {
    for (const item of this.#items.slice(index)) {
      if (item.kind === 'end') return true;
      if (item.kind !== 'one') continue;
      if (item.bytes.some((isIn, code) => isIn === 1 && bytes[code] === 1)) return false;
      if (item.repetition === '' || item.repetition === '+') return true;
    }
    // The rest matches nothing at all, and so the longest run matches.
    return true;
  }

  /** Whether the character at an index is in a set. */
  #test(bytes: Uint8Array, at: string): string {
    const ranges = rangesOf(bytes);
    const code = `s.charCodeAt(${at})`;
    const [first] = ranges;
    if (first === undefined) return 'false';
    if (first[0] === 0 && first[1] === 255) return 'true';
    if (ranges.length > RANGES_MAX) {
      const known = this.tables.indexOf(bytes);
      if (known < 0) this.tables.push(bytes);
      return `t[${known < 0 ? this.tables.length - 1 : known}][${code}] === 1`;
    }
    if (ranges.length === 1 && first[0] === first[1]) return `${code} === ${first[0]}`;
    const tests = ranges.map(([low, high]) => {
      if (low === high) return `c === ${low}`;
      if (low === 0) return `c <= ${high}`;
      return high === 255 ? `c >= ${low}` : `(c >= ${low} && c <= ${high})`;
    });
    return `(c = ${code}, ${tests.join(' || ')})`;
  }
}

function codeOf({ base, offset }: Place): string {
  return offset === 0 ? base : `${base} + ${offset}`;
}
