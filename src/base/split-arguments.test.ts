import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteArgument, splitArguments } from './split-arguments.ts';

test('splitArguments cuts at blanks and reads both kinds of quotes', () => {
  expect(splitArguments('  a  "b c"\t\'d"e\' f"g h"')).toEqual(['a', 'b c', 'd"e', 'fg h']);
  expect(splitArguments('"\\x41\\n\\q\\"" \'it\\\'s\\n\'')).toEqual(['A\nq"', "it's\\n"]);
  expect(splitArguments('"\\xZZ"')).toEqual(['xZZ']);
  expect(splitArguments('')).toEqual([]);
  expect(splitArguments('""')).toEqual(['']);
});

test('splitArguments refuses an open quote and a quote closed inside a word', () => {
  for (const line of ['"a', "'a", '"a"b', "'a'b", '"a\\']) {
    expect(splitArguments(line), line).toBeUndefined();
  }
});

test('quoteArgument gives text that splitArguments reads back, whatever the bytes', () => {
  const word = fc.uint8Array({ maxLength: 20 }).map((b) => Buffer.from(b).toString('latin1'));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (words) => {
      expect(splitArguments(words.map(quoteArgument).join(' '))).toEqual(words);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('splitArguments never throws', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', ' ', '\\', '"', "'", 'x', '0', '\n', '\0') }),
      (line) => {
        splitArguments(line);
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});
