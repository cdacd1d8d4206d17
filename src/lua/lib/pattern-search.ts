/** Searches for a pattern: by expression where it has one, else step by step. Patterns are kept for the next call. */
import type { LuaValue } from '../values.ts';
import { callError } from './arguments.ts';
import { type PatternExpression, expressionOf } from './pattern-expression.ts';
import { PatternMatcher } from './pattern-matcher.ts';

/** Patterns that are kept; a program has few of them. */
const CACHE_SIZE = 500;
/** Longer ones are not worth their place. */
const CACHED_LENGTH_MAX = 200;

/** Without any of these a text is found as it is. */
const SPECIALS = /[$%(*+.?[^-]/;

export interface Pattern {
  /** What follows the anchor, up to the first zero byte, which ends a pattern. */
  readonly text: string;
  /** Whether it matches at the start of a search only. */
  readonly isAnchored: boolean;
  readonly expression: PatternExpression | undefined;
  /** Whether `find` looks for the text as it is, what stands behind a zero byte included. */
  readonly isPlain: boolean;
}

/** A pattern of find, match and gsub, where `^` is an anchor. */
export function anchoredPattern(text: string): Pattern {
  return cached(anchored, text, text.startsWith('^'));
}

/** A pattern of gmatch, where `^` is a character. */
export function freePattern(text: string): Pattern {
  return cached(free, text, false);
}

const anchored = new Map<string, Pattern>();
const free = new Map<string, Pattern>();

function cached(cache: Map<string, Pattern>, text: string, isAnchored: boolean): Pattern {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const zeroAt = text.indexOf('\0');
  const whole = text.slice(isAnchored ? 1 : 0, zeroAt < 0 ? text.length : zeroAt);
  const isPlain = !SPECIALS.test(zeroAt < 0 ? text : text.slice(0, zeroAt));
  const pattern = { text: whole, isAnchored, expression: expressionOf(whole), isPlain };
  if (text.length > CACHED_LENGTH_MAX) return pattern;
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(text, pattern);
  return pattern;
}

/** One search through a subject: where the last match was, and what it captured. */
export class PatternSearch {
  readonly subject: string;
  readonly pattern: Pattern;
  start = 0;
  /** Index behind the match. */
  end = 0;
  #match: RegExpExecArray | undefined = undefined;
  #matcher: PatternMatcher | undefined = undefined;

  constructor(subject: string, pattern: Pattern) {
    this.subject = subject;
    this.pattern = pattern;
  }

  /** Finds the first match at `from` or behind it; an anchored pattern only at `from`. */
  next(from: number): boolean {
    const { expression, isAnchored } = this.pattern;
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
    return this.#matcher?.captureCount ?? this.pattern.expression!.positions.length;
  }

  /** Capture `index` (from 0) of the last match; a pattern without captures has one, the whole match. */
  capture(index: number): LuaValue {
    const count = this.captureCount;
    if (index >= count) {
      if (index > 0) throw callError('invalid capture index');
      return this.whole;
    }
    if (this.#matcher !== undefined) return this.#matcher.capture(index);
    const match = this.#match!;
    if (!this.pattern.expression!.positions[index]!) return match[index + 1];
    return match.indices![index + 1]![0] + 1;
  }

  /** All captures of the last match, or the whole match if there are none. */
  captures(): LuaValue[] {
    const values: LuaValue[] = [];
    const count = Math.max(1, this.captureCount);
    for (let index = 0; index < count; index++) values.push(this.capture(index));
    return values;
  }
}
