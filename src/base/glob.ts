/**
 * Glob patterns over bytes, as KEYS, SCAN, PSUBSCRIBE, CONFIG GET and ACL patterns use them.
 */

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** End of the one-byte item (byte, `?`, escape or class) that starts at `at`; never past `end`. */
function itemEnd(pattern: Uint8Array, at: number, end: number): number {
  const first = pattern[at]!;
  if (first === BACKSLASH) return at + 1 < end ? at + 2 : at + 1;
  if (first !== OPEN) return at + 1;
  let i = at + 1;
  if (i < end && pattern[i] === CARET) i++;
  while (i < end && pattern[i] !== CLOSE) {
    if (pattern[i] === BACKSLASH && i + 1 < end) i += 2;
    else if (i + 2 < end && pattern[i + 1] === DASH) i += 3;
    else i++;
  }
  return i < end ? i + 1 : end;
}

/** Whether `byte` is in the class `pattern[at, end)`, which starts with its bracket; an open class ends at `end`. */
function isInClass(
  pattern: Uint8Array,
  at: number,
  end: number,
  byte: number,
  ignoreCase: boolean,
): boolean {
  const fold = (value: number): number => (ignoreCase ? lower(value) : value);
  const wanted = fold(byte);
  let i = at + 1;
  const isNegated = i < end && pattern[i] === CARET;
  if (isNegated) i++;
  let isFound = false;
  while (i < end && pattern[i] !== CLOSE) {
    if (pattern[i] === BACKSLASH && i + 1 < end) {
      if (pattern[i + 1] === byte) isFound = true;
      i += 2;
    } else if (i + 2 < end && pattern[i + 1] === DASH) {
      const low = fold(Math.min(pattern[i]!, pattern[i + 2]!));
      const high = fold(Math.max(pattern[i]!, pattern[i + 2]!));
      if (wanted >= low && wanted <= high) isFound = true;
      i += 3;
    } else {
      if (fold(pattern[i]!) === wanted) isFound = true;
      i++;
    }
  }
  return isFound !== isNegated;
}

function itemMatches(
  pattern: Uint8Array,
  at: number,
  end: number,
  byte: number,
  ignoreCase: boolean,
): boolean {
  const first = pattern[at]!;
  if (first === QUESTION) return true;
  if (first === OPEN) return isInClass(pattern, at, end, byte, ignoreCase);
  const literal = first === BACKSLASH && at + 1 < end ? pattern[at + 1]! : first;
  return ignoreCase ? lower(literal) === lower(byte) : literal === byte;
}

/**
 * Whether the whole text matches the pattern: `*` any run, `?` one byte, `[a-c]` and `[^a]` classes, `\` makes the
 * next byte literal. O(pattern size × text size) at worst: on a mismatch only the last `*` is tried again, because an
 * earlier one taking more could not help. Source: behaviour of KEYS in Redis 7.
 */
// oxlint-disable-next-line max-params -- two byte ranges, as everywhere on the hot path, and a flag.
export function globMatches(
  pattern: Uint8Array,
  pAt: number,
  pSize: number,
  text: Uint8Array,
  tAt: number,
  tSize: number,
  ignoreCase: boolean,
): boolean {
  const pEnd = pAt + pSize;
  const tEnd = tAt + tSize;
  let p = pAt;
  let t = tAt;
  let starNext = -1;
  let starText = 0;
  while (t < tEnd) {
    if (p < pEnd && pattern[p] === STAR) {
      p++;
      if (p === pEnd) return true;
      starNext = p;
      starText = t;
      continue;
    }
    if (p < pEnd) {
      const next = itemEnd(pattern, p, pEnd);
      if (itemMatches(pattern, p, next, text[t]!, ignoreCase)) {
        p = next;
        t++;
        continue;
      }
    }
    if (starNext < 0) return false;
    p = starNext;
    t = ++starText;
  }
  while (p < pEnd && pattern[p] === STAR) p++;
  return p === pEnd;
}
