import fc from 'fast-check';
import { expect, test } from 'vitest';
import { REPLY_MALFORMED, REPLY_UNFINISHED, ReplyScanner, decodeReply } from './index.ts';

const text = fc.string({ unit: fc.constantFrom('a', '\r', '*', '$', '1') });
const line = fc.string({ unit: fc.constantFrom('a', ' ', '1') });
const reply = fc.letrec<{ reply: string }>((tie) => ({
  reply: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    text.map((value) => `$${value.length}\r\n${value}\r\n`),
    line.map((value) => `+${value}\r\n`),
    line.map((value) => `-ERR ${value}\r\n`),
    fc.integer().map((value) => `:${value}\r\n`),
    fc.constantFrom('$-1\r\n', '*-1\r\n', '_\r\n', '#t\r\n', ',1.5\r\n', '(123\r\n', '*0\r\n'),
    fc.array(tie('reply'), { maxLength: 5 }).map((all) => `*${all.length}\r\n${all.join('')}`),
    fc
      .array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 })
      .map((all) => `%${all.length}\r\n${all.flat().join('')}`),
    tie('reply').map((value) => `|1\r\n+a\r\n+b\r\n${value}`),
  ),
})).reply;

test('the scanner finds the ends that the decoder finds, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(reply, { minLength: 1, maxLength: 6 }), fc.nat(), (replies, seed) => {
      const bytes = Buffer.from(replies.join(''), 'latin1');
      const scanner = new ReplyScanner();
      let start = 0;
      for (let limit = 0; limit <= bytes.length; limit += 1 + (seed % 7)) {
        start = scanWhole(scanner, bytes, start, limit);
      }
      expect(scanWhole(scanner, bytes, start, bytes.length)).toBe(bytes.length);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('any bytes are scanned without an exception', () => {
  const unit = fc.constantFrom('*', '$', '-', '1', '9', '\r\n', '\r', '%', '|', ':', 'x', '>');
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 12 }), (parts) => {
      const bytes = Buffer.from(parts.join(''), 'latin1');
      const end = new ReplyScanner().scan(bytes, 0, bytes.length);
      const decoded = decodeReply(bytes, 0);
      if (decoded.kind === 'value') expect(end).toBe(decoded.end);
      else expect(end).toBeLessThanOrEqual(bytes.length);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('nonsense and excess are refused', () => {
  const limits = { bulkBytesMax: 10, elementsMax: 3, depthMax: 2 };
  for (const bad of [
    'x',
    '$a\r\n',
    '$11\r\n',
    '*4\r\n',
    '*1\r\n*1\r\n*1\r\n',
    '$2\r\nabc\r\n',
    '$-2\r\n',
  ]) {
    const bytes = Buffer.from(bad);
    expect(new ReplyScanner(limits).scan(bytes, 0, bytes.length), bad).toBe(REPLY_MALFORMED);
  }
});

/** Takes whole replies off `bytes[start, limit)`; answers where the unfinished one begins. */
function scanWhole(scanner: ReplyScanner, bytes: Buffer, from: number, limit: number): number {
  let start = from;
  while (start < limit) {
    const end = scanner.scan(bytes, start, limit);
    if (end === REPLY_UNFINISHED) break;
    expect(decodeReply(bytes, start)).toMatchObject({ kind: 'value', end });
    start = end;
  }
  return start;
}
