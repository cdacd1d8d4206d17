/** gsub with a text, in which `%0` to `%9` stand for what was captured. */
import type { LuaValue } from '../values.ts';
import { textArgument } from './arguments.ts';
import { appended, checkBytes } from './bounded-text.ts';
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
  const [only] = pieces;
  const isLiteral = pattern.isPlain && !/[)\0]/.test(pattern.text) && pattern.text !== '';
  if (isLiteral && countMax === Infinity && pieces.length === 1 && typeof only === 'string') {
    const parts = subject.split(pattern.text);
    const count = parts.length - 1;
    checkBytes(subject.length + count * (only.length - pattern.text.length));
    return [count === 0 ? subject : parts.join(only), count];
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

function replaceStepwise(
  search: PatternSearch,
  pieces: Replacement,
  countMax: number,
): readonly LuaValue[] {
  const { subject, pattern } = search;
  let text = '';
  let count = 0;
  let done = 0;
  for (let from = 0; count < countMax && from <= subject.length;) {
    if (!search.next(from)) break;
    count++;
    const { start, end } = search;
    if (start > done) text = appended(text, subject.slice(done, start));
    for (const piece of pieces) {
      if (typeof piece === 'string') text = appended(text, piece);
      else if (piece === WHOLE) text = appended(text, search.whole);
      else text = appended(text, textArgument(search.capture(piece), 1, 1));
    }
    done = end;
    from = end === start ? end + 1 : end;
    if (pattern.isAnchored) break;
  }
  return [appended(text, done === 0 ? subject : subject.slice(done)), count];
}
