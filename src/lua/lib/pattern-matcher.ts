/**
 * Matching of Lua's patterns step by step, as the manual describes them: each item is tried at the
 * place where the one before it ended, longest or shortest first, going back where the rest fails. It
 * knows every pattern, and finds what is wrong with one only when a match comes by, as Lua does; the
 * usual patterns have a quicker way (`pattern-expression.ts`). Source: Lua 5.1 manual, 5.4.1.
 */
import type { LuaValue } from '../values.ts';
import { callError } from '../arguments.ts';
import { classOf } from './character-classes.ts';

/** Parentheses of a pattern. */
const CAPTURES_MAX = 32;
/** Items that can wait for the rest of their pattern, one inside another. */
const DEPTH_MAX = 200;
/** Length of a capture that is open, and of one that is a position. */
const OPEN = -1;
const POSITION = -2;
const NO_MATCH = -1;

const PERCENT = 0x25;
const OPEN_PARENTHESIS = 0x28;
const CLOSE_PARENTHESIS = 0x29;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const QUESTION = 0x3f;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const CARET = 0x5e;
const DOLLAR = 0x24;
const LETTER_B = 0x62;
const LETTER_F = 0x66;
const ZERO = 0x30;

/** One pattern on one subject. */
export class PatternMatcher {
  readonly #subject: string;
  readonly #pattern: string;
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  #depth = 0;

  /** @param pattern without an anchor at its start, up to its first zero byte */
  constructor(subject: string, pattern: string) {
    this.#subject = subject;
    this.#pattern = pattern;
  }

  /** Where a match that begins at `start` ends, or -1. */
  matchAt(start: number): number {
    this.#starts.length = 0;
    this.#lengths.length = 0;
    this.#depth = 0;
    return this.#match(start, 0);
  }

  get captureCount(): number {
    return this.#starts.length;
  }

  /** Capture `index` (from 0) of the last match. */
  capture(index: number): LuaValue {
    const length = this.#lengths[index];
    if (length === undefined) throw callError('invalid capture index');
    if (length === OPEN) throw callError('unfinished capture');
    const start = this.#starts[index]!;
    return length === POSITION ? start + 1 : this.#subject.slice(start, start + length);
  }

  /** Matches the rest of the pattern, and counts how deep that is nested. */
  #rest(s: number, p: number): number {
    if (++this.#depth > DEPTH_MAX) throw callError('pattern too complex');
    const end = this.#match(s, p);
    this.#depth--;
    return end;
  }

  #match(from: number, item: number): number {
    const pattern = this.#pattern;
    let s = from;
    let p = item;
    while (p < pattern.length) {
      const code = pattern.charCodeAt(p);
      if (code === OPEN_PARENTHESIS) return this.#open(s, p);
      if (code === CLOSE_PARENTHESIS) return this.#close(s, p + 1);
      if (code === DOLLAR && p + 1 === pattern.length) {
        return s === this.#subject.length ? s : NO_MATCH;
      }
      const next = code === PERCENT ? pattern.charCodeAt(p + 1) : 0;
      if (next === LETTER_B || next === LETTER_F || (next >= ZERO && next <= ZERO + 9)) {
        s = this.#special(s, p + 2, next);
        if (s === NO_MATCH) return NO_MATCH;
        p = next === LETTER_B ? p + 4 : next === LETTER_F ? this.#itemEnd(p + 2) : p + 2;
        continue;
      }
      const end = this.#itemEnd(p);
      const suffix = pattern.charCodeAt(end);
      if (suffix === STAR) return this.#longest(s, p, end, 0);
      if (suffix === PLUS) return this.#longest(s, p, end, 1);
      if (suffix === MINUS) return this.#shortest(s, p, end);
      const isOne = this.#isOne(s, p, end);
      if (suffix === QUESTION) {
        const taken = isOne ? this.#rest(s + 1, end + 1) : NO_MATCH;
        if (taken !== NO_MATCH) return taken;
        p = end + 1;
        continue;
      }
      if (!isOne) return NO_MATCH;
      s++;
      p = end;
    }
    return s;
  }

  /** Where the item for one character that begins at `p` ends. */
  #itemEnd(p: number): number {
    const pattern = this.#pattern;
    const code = pattern.charCodeAt(p);
    if (code === PERCENT) {
      if (p + 1 >= pattern.length) throw callError("malformed pattern (ends with '%')");
      return p + 2;
    }
    if (code !== OPEN_BRACKET) return p + 1;
    let at = pattern.charCodeAt(p + 1) === CARET ? p + 2 : p + 1;
    // A bracket that comes first stands for itself.
    do {
      if (at >= pattern.length) throw callError("malformed pattern (missing ']')");
      at += pattern.charCodeAt(at) === PERCENT ? 2 : 1;
    } while (at > pattern.length || pattern.charCodeAt(at) !== CLOSE_BRACKET);
    return at + 1;
  }

  /** Whether the character at `s` is one that the item from `p` to `end` stands for. */
  #isOne(s: number, p: number, end: number): boolean {
    if (s >= this.#subject.length) return false;
    const code = this.#subject.charCodeAt(s);
    const first = this.#pattern.charCodeAt(p);
    if (first === DOT) return true;
    if (first === PERCENT) return isOfClass(code, this.#pattern.charCodeAt(p + 1));
    if (first === OPEN_BRACKET) return this.#isInSet(code, p, end - 1);
    return first === code;
  }

  /** Whether a set, from its bracket to its last bracket, holds a character. */
  #isInSet(code: number, open: number, close: number): boolean {
    const pattern = this.#pattern;
    const isNegated = pattern.charCodeAt(open + 1) === CARET;
    for (let at = open + (isNegated ? 2 : 1); at < close; at++) {
      const first = pattern.charCodeAt(at);
      if (first === PERCENT) {
        at++;
        if (isOfClass(code, pattern.charCodeAt(at))) return !isNegated;
      } else if (pattern.charCodeAt(at + 1) === MINUS && at + 2 < close) {
        if (first <= code && code <= pattern.charCodeAt(at + 2)) return !isNegated;
        at += 2;
      } else if (first === code) return !isNegated;
    }
    return isNegated;
  }

  #longest(s: number, p: number, end: number, least: number): number {
    let count = 0;
    while (this.#isOne(s + count, p, end)) count++;
    for (; count >= least; count--) {
      const found = this.#rest(s + count, end + 1);
      if (found !== NO_MATCH) return found;
    }
    return NO_MATCH;
  }

  #shortest(from: number, p: number, end: number): number {
    for (let s = from; ; s++) {
      const found = this.#rest(s, end + 1);
      if (found !== NO_MATCH) return found;
      if (!this.#isOne(s, p, end)) return NO_MATCH;
    }
  }

  #open(s: number, p: number): number {
    const isPosition = this.#pattern.charCodeAt(p + 1) === CLOSE_PARENTHESIS;
    const level = this.#starts.length;
    if (level >= CAPTURES_MAX) throw callError('too many captures');
    this.#starts.push(s);
    this.#lengths.push(isPosition ? POSITION : OPEN);
    const end = this.#rest(s, isPosition ? p + 2 : p + 1);
    if (end === NO_MATCH) {
      this.#starts.length = level;
      this.#lengths.length = level;
    }
    return end;
  }

  #close(s: number, p: number): number {
    const index = this.#lengths.lastIndexOf(OPEN);
    if (index < 0) throw callError('invalid pattern capture');
    this.#lengths[index] = s - this.#starts[index]!;
    const end = this.#rest(s, p);
    if (end === NO_MATCH) this.#lengths[index] = OPEN;
    return end;
  }

  /** Matches what `%b`, `%f` or `%1` and so on stand for; `p` is what follows. */
  #special(s: number, p: number, letter: number): number {
    if (letter === LETTER_B) return this.#balanced(s, p);
    if (letter === LETTER_F) return this.#isFrontier(s, p) ? s : NO_MATCH;
    return this.#again(s, letter - ZERO - 1);
  }

  #balanced(s: number, p: number): number {
    if (p + 1 >= this.#pattern.length) throw callError('unbalanced pattern');
    const open = this.#pattern.charCodeAt(p);
    const close = this.#pattern.charCodeAt(p + 1);
    if (s >= this.#subject.length || this.#subject.charCodeAt(s) !== open) return NO_MATCH;
    let depth = 1;
    for (let at = s + 1; at < this.#subject.length; at++) {
      const code = this.#subject.charCodeAt(at);
      if (code === close) {
        if (--depth === 0) return at + 1;
      } else if (code === open) depth++;
    }
    return NO_MATCH;
  }

  #isFrontier(s: number, p: number): boolean {
    if (this.#pattern.charCodeAt(p) !== OPEN_BRACKET) {
      throw callError("missing '[' after '%f' in pattern");
    }
    const end = this.#itemEnd(p);
    const before = s === 0 ? 0 : this.#subject.charCodeAt(s - 1);
    const after = s < this.#subject.length ? this.#subject.charCodeAt(s) : 0;
    return !this.#isInSet(before, p, end - 1) && this.#isInSet(after, p, end - 1);
  }

  /** A capture once more. */
  #again(s: number, index: number): number {
    const length = this.#lengths[index];
    if (length === undefined || length === OPEN) throw callError('invalid capture index');
    // A position was never text, and so is found nowhere.
    if (length === POSITION) return NO_MATCH;
    const start = this.#starts[index]!;
    const text = this.#subject.slice(start, start + length);
    return this.#subject.startsWith(text, s) ? s + length : NO_MATCH;
  }
}

function isOfClass(code: number, letter: number): boolean {
  const bytes = classOf(letter);
  return bytes === undefined ? letter === code : bytes[code] === 1;
}
