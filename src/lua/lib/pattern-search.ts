/**
 * Searches for a pattern. One that is used again becomes code of its own; before that, or if it has too many items, it is a
 * regular expression, and what neither of them knows is tried step by step. Patterns are kept for the next call.
 */
import type { LuaValue } from '../values.ts';
import { callError } from '../arguments.ts';
import { type Finder, POSITION, finderOf, places } from './pattern-code.ts';
import { type PatternExpression, expressionOf } from './pattern-expression.ts';
import { itemsOf } from './pattern-items.ts';
import { PatternMatcher } from './pattern-matcher.ts';
import { TextCache } from './text-cache.ts';

/** Longer patterns are rare, and the nesting of an expression's own machinery is unknown. */
const LENGTH_MAX = 1000;
/** Searches before code is made, which takes as long as some hundred of them. */
const SEARCHES_BEFORE_CODE = 8;
/** In so many bytes a single search is worth it. */
const LONG_SUBJECT = 1000;

/** Without any of these a text is found as it is. */
const SPECIALS = /[$%(*+.?[^-]/;

export class Pattern {
  /** What follows the anchor, up to the first zero byte, which ends a pattern. */
  readonly text: string;
  /** Whether it matches at the start of a search only. */
  readonly isAnchored: boolean;
  /** Whether `find` looks for the text as it is, what stands behind a zero byte included. */
  readonly isPlain: boolean;
  readonly expression: PatternExpression | undefined;
  readonly captureCount: number;
  /** There from some search on. */
  finder: Finder | undefined = undefined;
  #searches = 0;

  constructor(text: string, isAnchored: boolean) {
    const zeroAt = text.indexOf('\0');
    this.isAnchored = isAnchored;
    this.text = text.slice(isAnchored ? 1 : 0, zeroAt < 0 ? text.length : zeroAt);
    this.isPlain = !SPECIALS.test(zeroAt < 0 ? text : text.slice(0, zeroAt));
    const items = this.text.length > LENGTH_MAX ? undefined : itemsOf(this.text);
    this.expression = items === undefined ? undefined : expressionOf(items);
    this.captureCount = this.expression?.positions.length ?? 0;
  }

  /** Says that so many bytes will be searched, which may be what makes code worth it. */
  count(bytes: number): void {
    if (this.finder !== undefined || this.expression === undefined) return;
    this.#searches += bytes < LONG_SUBJECT ? 1 : SEARCHES_BEFORE_CODE;
    if (this.#searches < SEARCHES_BEFORE_CODE || this.#searches === Infinity) return;
    this.finder = finderOf(itemsOf(this.text)!, this.isAnchored);
    this.#searches = Infinity;
  }
}

const anchored = new TextCache((text) => new Pattern(text, text.startsWith('^')));
const free = new TextCache((text) => new Pattern(text, false));

/** A pattern of find, match and gsub, where `^` is an anchor. */
export function anchoredPattern(text: string): Pattern {
  return anchored.get(text);
}

/** A pattern of gmatch, where `^` is a character. */
export function freePattern(text: string): Pattern {
  return free.get(text);
}

/** Capture `index` (from 0), which the pattern has, of what its finder found last in a subject. */
export function foundCapture(subject: string, index: number): LuaValue {
  const start = places[2 * index + 1]!;
  const end = places[2 * index + 2]!;
  return end === POSITION ? start + 1 : subject.slice(start, end);
}

/**
 * One search through a subject: where the last match was, and what it captured, which is to be asked before any other search.
 */
export class PatternSearch {
  readonly subject: string;
  readonly pattern: Pattern;
  start = 0;
  /** Index behind the match. */
  end = 0;
  /** Whether the last match is the finder's. */
  #isFound = false;
  #match: RegExpExecArray | undefined = undefined;
  #matcher: PatternMatcher | undefined = undefined;

  constructor(subject: string, pattern: Pattern) {
    this.subject = subject;
    this.pattern = pattern;
  }

  /** Finds the first match at `from` or behind it; an anchored pattern only at `from`. */
  next(from: number): boolean {
    const { pattern, subject } = this;
    if (pattern.finder === undefined) pattern.count(subject.length - from);
    const { finder } = pattern;
    if (finder === undefined || this.#matcher !== undefined) return this.#nextByExpression(from);
    return this.nextByCode(finder, from);
  }

  /** As `next`, by the finder of the pattern. */
  nextByCode(finder: Finder, from: number): boolean {
    this.#isFound = true;
    const start = finder(this.subject, from);
    if (start < 0) return false;
    this.start = start;
    this.end = places[0]!;
    return true;
  }

  #nextByExpression(from: number): boolean {
    const { expression, isAnchored } = this.pattern;
    this.#isFound = false;
    if (expression !== undefined && this.#matcher === undefined) {
      const regexp = isAnchored ? expression.here : expression.anywhere;
      regexp.lastIndex = from;
      try {
        const match = regexp.exec(this.subject);
        if (match === null) return false;
        this.#match = match;
        this.start = match.index;
        this.end = match.index + match[0].length;
        return true;
      } catch (error) {
        // Its stack of ways back is bounded; ours is not.
        if (!(error instanceof RangeError)) throw error;
      }
    }
    return this.#nextStepwise(from, isAnchored);
  }

  #nextStepwise(from: number, isAnchored: boolean): boolean {
    this.#matcher ??= new PatternMatcher(this.subject, this.pattern.text);
    const last = isAnchored ? from : this.subject.length;
    for (let start = from; start <= last; start++) {
      const end = this.#matcher.matchAt(start);
      if (end < 0) continue;
      this.start = start;
      this.end = end;
      return true;
    }
    return false;
  }

  /** The text of the last match. */
  get whole(): string {
    return this.subject.slice(this.start, this.end);
  }

  get captureCount(): number {
    return this.#matcher?.captureCount ?? this.pattern.captureCount;
  }

  /** Capture `index` (from 0) of the last match; a pattern without captures has one, the whole match. */
  capture(index: number): LuaValue {
    const count = this.captureCount;
    if (index >= count) {
      if (index > 0) throw callError('invalid capture index');
      return this.whole;
    }
    if (this.#isFound) return foundCapture(this.subject, index);
    if (this.#matcher !== undefined) return this.#matcher.capture(index);
    const match = this.#match!;
    if (!this.pattern.expression!.positions[index]!) return match[index + 1];
    return match.indices![index + 1]![0] + 1;
  }

  /** Puts all captures of the last match behind some values. */
  captures(values: LuaValue[]): LuaValue[] {
    const count = this.captureCount;
    for (let index = 0; index < count; index++) values.push(this.capture(index));
    return values;
  }
}
