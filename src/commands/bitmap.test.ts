import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bitmapCommands } from './bitmap.ts';
import { keyCommands } from './keys.ts';
import { stringCommands } from './string.ts';
import { TestServer } from './test-server.ts';

const create = (): TestServer => new TestServer([...bitmapCommands, ...stringCommands]);

function bitsOf(bytes: Uint8Array): number[] {
  return [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1));
}

const bytes = fc.uint8Array({ maxLength: 12 });

test('BITCOUNT and BITPOS agree with a list of bits on any range', () => {
  const index = fc.integer({ min: -110, max: 110 });
  fc.assert(
    fc.property(bytes, index, index, fc.constantFrom(0, 1), (value, first, last, bit) => {
      const server = create();
      server.run('SET', 'k', Buffer.from(value));
      const bits = bitsOf(value);
      const start = Math.max(0, first < 0 ? first + bits.length : first);
      const end = Math.max(0, last < 0 ? last + bits.length : last) + 1;
      const isEmpty = bits.length === 0 || (first < 0 && last < 0 && first > last);
      const range = isEmpty ? [] : bits.slice(start, end);
      const count = range.filter((each) => each === 1).length;
      const args = [String(first), String(last), 'BIT'] as const;
      expect(server.run('BITCOUNT', 'k', ...args)).toBe(`:${count}\r\n`);
      const found = bits.slice(0, end).indexOf(bit, start);
      expect(server.run('BITPOS', 'k', String(bit), ...args)).toBe(`:${found}\r\n`);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('BITOP combines strings of different sizes as if filled up with zeros', () => {
  fc.assert(
    fc.property(bytes, bytes, fc.constantFrom('AND', 'OR', 'XOR'), (a, b, operation) => {
      const server = create();
      server.run('MSET', 'a', Buffer.from(a), 'b', Buffer.from(b));
      const size = Math.max(a.length, b.length);
      expect(server.run('BITOP', operation, 'to', 'a', 'b')).toBe(`:${size}\r\n`);
      const expected = Buffer.from(
        Array.from({ length: size }, (_, i) => {
          const x = a[i] ?? 0;
          const y = b[i] ?? 0;
          return operation === 'AND' ? x & y : operation === 'OR' ? x | y : x ^ y;
        }),
      );
      const reply = size === 0 ? '$-1\r\n' : `$${size}\r\n${expected.toString('latin1')}\r\n`;
      expect(server.run('GET', 'to')).toBe(reply);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('SETBIT grows the string with zeros, and a bit that stays is no change', () => {
  const server = create();
  expect(server.run('SETBIT', 'k', '9', '1')).toBe(':0\r\n');
  expect(server.run('SETBIT', 'k', '9', '1')).toBe(':1\r\n');
  expect(server.run('GETBIT', 'k', '9')).toBe(':1\r\n');
  expect(server.run('GETBIT', 'k', '1000')).toBe(':0\r\n');
  expect(server.run('GET', 'k')).toBe('$2\r\n\0@\r\n');
  expect(server.propagated).toEqual(['SETBIT k 9 1']);
  expect(server.run('SETBIT', 'k', '4294967296', '1')).toBe(
    '-ERR bit offset is not an integer or out of range\r\n',
  );
});

test('BITFIELD wraps, saturates or fails as asked', () => {
  const server = create();
  const run = (...args: string[]): string => server.run('BITFIELD', 'k', ...args);
  expect(run('SET', 'u8', '#0', '250')).toBe('*1\r\n:0\r\n');
  expect(run('INCRBY', 'u8', '#0', '10', 'OVERFLOW', 'SAT', 'INCRBY', 'u8', '#1', '300')).toBe(
    '*2\r\n:4\r\n:255\r\n',
  );
  expect(run('OVERFLOW', 'FAIL', 'INCRBY', 'u8', '#1', '1')).toBe('*1\r\n$-1\r\n');
  expect(run('GET', 'i8', '#1', 'GET', 'u4', '6')).toBe('*2\r\n:-1\r\n:3\r\n');
  expect(run('SET', 'i64', '0', '-9223372036854775808', 'GET', 'i64', '0')).toBe(
    `*2\r\n:${0x04ffn << 48n}\r\n:-9223372036854775808\r\n`,
  );
  expect(server.run('BITFIELD_RO', 'k', 'SET', 'u8', '0', '1')).toBe(
    '-ERR BITFIELD_RO only supports the GET subcommand\r\n',
  );
});

test('a field written reads back as itself at any width and offset', () => {
  const field = fc.tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 0, max: 100 }));
  fc.assert(
    fc.property(
      field,
      fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
      ([bits, at], value) => {
        const server = create();
        server.run('BITFIELD', 'k', 'SET', `i${bits}`, String(at), String(value));
        const expected = BigInt.asIntN(bits, value);
        expect(server.run('BITFIELD', 'k', 'GET', `i${bits}`, String(at))).toBe(
          `*1\r\n:${expected}\r\n`,
        );
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});

test('what writes bits makes a value raw, whether or not a bit changes', () => {
  const server = new TestServer([...bitmapCommands, ...stringCommands, ...keyCommands]);
  server.run('SET', 'k', '0');
  expect(server.run('SETBIT', 'k', '0', '0')).toBe(':0\r\n');
  expect(server.run('OBJECT', 'ENCODING', 'k')).toBe('$3\r\nraw\r\n');
  server.run('SET', 'k', '0');
  server.run('BITFIELD', 'k', 'SET', 'u8', '0', '48');
  expect(server.run('OBJECT', 'ENCODING', 'k')).toBe('$3\r\nraw\r\n');
  expect(server.propagated).toEqual(['SET k 0', 'SET k 0']);
});

test('BITFIELD grows the string even if every operation fails, and replicas get it', () => {
  const server = create();
  expect(server.run('BITFIELD', 'k', 'OVERFLOW', 'FAIL', 'SET', 'u2', '14', '9')).toBe(
    '*1\r\n$-1\r\n',
  );
  expect(server.run('STRLEN', 'k')).toBe(':2\r\n');
  server.run('BITFIELD', 'k', 'OVERFLOW', 'FAIL', 'SET', 'u2', '14', '9');
  expect(server.propagated).toEqual(['BITFIELD k OVERFLOW FAIL SET u2 14 9']);
});

test('BITFIELD SET takes the smallest integers for too large, as 64 bits have it', () => {
  const server = create();
  server.run('BITFIELD', 'k', 'OVERFLOW', 'SAT', 'SET', 'i4', '0', '-9223372036854775808');
  expect(server.run('BITFIELD', 'k', 'GET', 'i4', '0')).toBe('*1\r\n:7\r\n');
  server.run('BITFIELD', 'k', 'OVERFLOW', 'SAT', 'SET', 'i4', '0', '-9223372036854775800');
  expect(server.run('BITFIELD', 'k', 'GET', 'i4', '0')).toBe('*1\r\n:-8\r\n');
  server.run('BITFIELD', 'n', 'OVERFLOW', 'SAT', 'INCRBY', 'u63', '0', '-9223372036854775808');
  expect(server.run('BITFIELD', 'n', 'GET', 'u63', '0')).toBe('*1\r\n:0\r\n');
});
