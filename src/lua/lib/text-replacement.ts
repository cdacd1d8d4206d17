/** gsub with a text, in which `%0` to `%9` stand for what was captured. */
import type { LuaValue } from '../values.ts';
import { textArgument } from './arguments.ts';
import { checkBytes } from './bounded-text.ts';
import { type Pattern, PatternSearch } from './pattern-search.ts';

/** Index of the whole match among captures. */
const WHOLE = -1;

/** Texts, and between them numbers: WHOLE or the index of a capture. */
type Replacement = readonly (string | number)[];

/** The text with up to `countMax` matches replaced, and how many there were. */
export function replaceByText(
  subject: string,
  pattern: Pattern,
  text: string,
  countMax: number,
): readonly LuaValue[] {
  const pieces = piecesOf(text);
  if (countMax === Infinity && !pattern.isAnchored && pattern.expression !== undefined) {
    const quick = replaceQuickly(subject, pattern.expression.anywhere, pieces, pattern);
    if (quick !== undefined) return quick;
  }
  return replaceStepwise(new PatternSearch(subject, pattern), pieces, countMax);
}

function piecesOf(text: string): Replacement {
  const pieces: (string | number)[] = [];
  let literal = '';
  let at = 0;
  for (;;) {
    const percentAt = text.indexOf('%', at);
    if (percentAt < 0) break;
    literal += text.slice(at, percentAt);
    // A text that ends with % reads the zero byte behind it there.
    const next = percentAt + 1 < text.length ? text[percentAt + 1]! : '\0';
    at = percentAt + 2;
    if (next >= '0' && next <= '9') {
      if (literal !== '') pieces.push(literal);
      literal = '';
      pieces.push(Number(next) - 1);
    } else literal += next;
  }
  literal += text.slice(at);
  if (literal !== '' || pieces.length === 0) pieces.push(literal);
  return pieces;
}

/** By the engine's own replacement; undefined if captures or the size of its stack stand in the way. */
function replaceQuickly(
  subject: string,
  expression: RegExp,
  pieces: Replacement,
  pattern: Pattern,
): readonly LuaValue[] | undefined {
  let count = 0;
  let bytes = subject.length;
  const [only] = pieces;
  const isPlain = pieces.length === 1 && typeof only === 'string';
  const { positions } = pattern.expression!;
  if (!isPlain && (positions.includes(true) || !isCovered(pieces, positions.length))) {
    return undefined;
  }
  const plain = isPlain ? only : '';
  const byPlain = (): string => {
    count++;
    bytes += plain.length;
    checkBytes(bytes);
    return plain;
  };
  const byPieces = (...groups: string[]): string => {
    count++;
    let text = '';
    for (const piece of pieces) text += textOf(piece, groups, positions.length);
    bytes += text.length;
    checkBytes(bytes);
    return text;
  };
  try {
    return [subject.replace(expression, isPlain ? byPlain : byPieces), count];
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whether all captures that the replacement names are there; `%1` of none is the whole match. */
function isCovered(pieces: Replacement, captureCount: number): boolean {
  return pieces.every((piece) => typeof piece === 'string' || piece < Math.max(1, captureCount));
}

function textOf(piece: string | number, groups: readonly string[], captureCount: number): string {
  if (typeof piece === 'string') return piece;
  return captureCount === 0 ? groups[0]! : groups[piece + 1]!;
}

function replaceStepwise(
  search: PatternSearch,
  pieces: Replacement,
  countMax: number,
): readonly LuaValue[] {
  const { subject, pattern } = search;
  const parts: string[] = [];
  let bytes = 0;
  const add = (text: string): void => {
    bytes += text.length;
    checkBytes(bytes);
    parts.push(text);
  };
  let count = 0;
  let done = 0;
  for (let from = 0; count < countMax && from <= subject.length;) {
    if (!search.next(from)) break;
    count++;
    add(subject.slice(done, search.start));
    for (const piece of pieces) {
      if (typeof piece === 'string') add(piece);
      else add(piece === WHOLE ? search.whole : textArgument(search.capture(piece), 1, 1));
    }
    done = search.end;
    from = search.end === search.start ? search.end + 1 : search.end;
    if (pattern.isAnchored) break;
  }
  add(subject.slice(done));
  return [parts.join(''), count];
}
