/** gsub with a text, in which `%0` to `%9` stand for what was captured. */
import type { LuaValue } from '../values.ts';
import { textArgument } from '../arguments.ts';
import { output } from './byte-output.ts';
import { POSITION, places } from './pattern-code.ts';
import { type Pattern, PatternSearch } from './pattern-search.ts';
import { TextCache } from './text-cache.ts';

/** Index of the whole match among captures. */
const WHOLE = -1;

/** Texts, and between them numbers: WHOLE or the index of a capture. */
type Replacement = readonly (string | number)[];

const replacements = new TextCache(piecesOf);

/** The text with up to `countMax` matches replaced, and how many there were. */
export function replaceByText(
  subject: string,
  pattern: Pattern,
  text: string,
  countMax: number,
): readonly LuaValue[] {
  const pieces = replacements.get(text);
  pattern.count(subject.length);
  const { finder } = pattern;
  const search = new PatternSearch(subject, pattern);
  output.begin();
  let count = 0;
  let done = 0;
  for (let from = 0; count < countMax && from <= subject.length;) {
    if (finder === undefined ? !search.next(from) : !search.nextByCode(finder, from)) break;
    count++;
    const { start, end } = search;
    if (start > done) output.range(subject, done, start);
    for (let index = 0; index < pieces.length; index++) {
      const piece = pieces[index]!;
      if (typeof piece === 'string') output.text(piece);
      else if (piece === WHOLE) output.range(subject, start, end);
      else if (finder === undefined || !writeFound(search, piece)) {
        output.text(textArgument(search.capture(piece), 1, 1));
      }
    }
    done = end;
    from = end === start ? end + 1 : end;
    if (pattern.isAnchored) break;
  }
  if (count === 0) return [subject, 0];
  if (done < subject.length) output.range(subject, done, subject.length);
  return [output.finish(), count];
}

/** Writes a capture of what code has found, if it is a text. */
function writeFound({ subject, pattern }: PatternSearch, index: number): boolean {
  if (index >= pattern.captureCount) return false;
  const end = places[2 * index + 2]!;
  if (end === POSITION) return false;
  output.range(subject, places[2 * index + 1]!, end);
  return true;
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
  if (literal !== '') pieces.push(literal);
  return pieces;
}
