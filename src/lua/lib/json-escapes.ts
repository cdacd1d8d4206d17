/** What a backslash and the letters behind it stand for in a text of JSON. */

const BACKSLASH = 0x5c;
export const LETTER_U = 0x75;
/** Up to here a code point is one escape, and above it two. */
const SINGLE_MAX = 0xffff;

const ESCAPED: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
/** What a backslash and each byte stand for; 0 for nothing. */
const ESCAPES: Uint8Array = Uint8Array.from(
  { length: 256 },
  (_, code) => ESCAPED[String.fromCharCode(code)]?.charCodeAt(0) ?? 0,
);
/** Hexadecimal digits, -1 for what is none. */
const HEX_VALUES: Int8Array = Int8Array.from({ length: 256 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase()),
);

/** The code point of the escape whose backslash is at `at`; below 0 for none. */
export function escapedPoint(bytes: Uint8Array, at: number): number {
  const letter = bytes[at + 1]!;
  if (letter !== LETTER_U) return ESCAPES[letter]! === 0 ? -1 : ESCAPES[letter]!;
  const first = hex4(bytes, at + 2);
  if ((first & 0xf800) !== 0xd800) return first;
  if (first >= 0xdc00 || bytes[at + 6] !== BACKSLASH || bytes[at + 7] !== LETTER_U) return -1;
  const second = hex4(bytes, at + 8);
  if ((second & 0xfc00) !== 0xdc00) return -1;
  return 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
}

/** How long the escape of a code point is, whose backslash is at `at`. */
export function escapeBytes(bytes: Uint8Array, at: number, point: number): number {
  if (bytes[at + 1] !== LETTER_U) return 2;
  return point > SINGLE_MAX ? 12 : 6;
}

/** A number of four hexadecimal digits; below 0 if they are none. */
function hex4(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let index = at; index < at + 4; index++) {
    value = (value << 4) | HEX_VALUES[bytes[index]!]!;
    if (value < 0) return -1;
  }
  return value;
}

/** Writes the bytes of a code point, and answers where they end. */
export function writeUtf8(bytes: Uint8Array, at: number, point: number): number {
  let to = at;
  if (point < 0x80) {
    bytes[to++] = point;
    return to;
  }
  if (point < 0x800) bytes[to++] = 0xc0 | (point >> 6);
  else {
    if (point < 0x10000) bytes[to++] = 0xe0 | (point >> 12);
    else {
      bytes[to++] = 0xf0 | (point >> 18);
      bytes[to++] = 0x80 | ((point >> 12) & 0x3f);
    }
    bytes[to++] = 0x80 | ((point >> 6) & 0x3f);
  }
  bytes[to++] = 0x80 | (point & 0x3f);
  return to;
}
