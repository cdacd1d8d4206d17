/** The classes of bytes behind `%a` and the like in patterns: those of C's locale, plain ASCII. */

type Test = (code: number) => boolean;

const isLower: Test = (code) => code >= 0x61 && code <= 0x7a;
const isUpper: Test = (code) => code >= 0x41 && code <= 0x5a;
const isDigit: Test = (code) => code >= 0x30 && code <= 0x39;
const isLetter: Test = (code) => isLower(code) || isUpper(code);

const TESTS: Readonly<Record<string, Test>> = {
  a: isLetter,
  c: (code) => code < 0x20 || code === 0x7f,
  d: isDigit,
  l: isLower,
  p: (code) => code > 0x20 && code < 0x7f && !isLetter(code) && !isDigit(code),
  s: (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d),
  u: isUpper,
  w: (code) => isLetter(code) || isDigit(code),
  x: (code) => isDigit(code) || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46),
  z: (code) => code === 0,
};

/** Bytes of each class, by the code of its letter; a capital is what its small letter is not. */
const BYTES: ReadonlyMap<number, Uint8Array> = new Map(
  Object.entries(TESTS).flatMap(([letter, test]) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, code) => Number(test(code)));
    const others = bytes.map((isIn) => 1 - isIn);
    return [
      [letter.charCodeAt(0), bytes],
      [letter.toUpperCase().charCodeAt(0), others],
    ] as const;
  }),
);

/** Which bytes `%` and a letter stand for: element 1 for those that match; undefined if it is no class. */
export function classOf(letter: number): Uint8Array | undefined {
  return BYTES.get(letter);
}
