/** Goal: whatever a client sends is a command, the beginning of one, or refused. Method: by hand, and any split of the bytes. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ARGUMENTS_MAX,
  ARGUMENT_BYTES_MAX,
  CommandReader,
  type ReadCommand,
} from './command-reader.ts';

function encoded(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}

function read(...pieces: readonly string[]): ReadCommand[] {
  const reader = new CommandReader();
  const found: ReadCommand[] = [];
  for (const piece of pieces) {
    reader.add(Buffer.from(piece, 'latin1'));
    let next = reader.next();
    for (; next.kind === 'command'; next = reader.next()) found.push(next);
    if (next.kind === 'refused') return [...found, next];
  }
  return found;
}

const MALFORMED: ReadCommand = { kind: 'refused', reason: 'malformed' };

test.each([
  's\r\n',
  '\r\n',
  '*0\r\n',
  '*-1\r\n',
  '*x\r\n',
  `*${ARGUMENTS_MAX + 1}\r\n`,
  '*999999999',
  '*1\r\n$-1\r\n',
  '*1\r\n$0\r\n\r\n',
  '*1\r\n:1\r\n',
  `*1\r\n$${ARGUMENT_BYTES_MAX + 1}\r\n`,
  '*1\r\n$1\r\npX\r\n',
  '*2\r\n$1\r\np\r\n$1\r\naX',
])('%j is refused', (bytes) => {
  expect(read(bytes)).toEqual([MALFORMED]);
});

test('a command that is too long is refused, whether it is whole or not', () => {
  const args = Array.from({ length: ARGUMENTS_MAX }, () => 'x'.repeat(ARGUMENT_BYTES_MAX));
  const tooLong: ReadCommand = { kind: 'refused', reason: 'tooLong' };
  expect(read(encoded(args))).toEqual([tooLong]);
  expect(read(encoded(args).slice(0, -9))).toEqual([tooLong]);
});

test('commands are read however their bytes come', () => {
  const arg = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 20,
  });
  const commands = fc.array(fc.array(arg, { minLength: 1, maxLength: 5 }), { maxLength: 5 });
  fc.assert(
    fc.property(commands, fc.array(fc.nat(200)), (all, cuts) => {
      const bytes = all.map((args) => encoded(args)).join('');
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b)];
      const pieces = places.map((from, index) => bytes.slice(from, places[index + 1]));
      expect(read(...pieces)).toEqual(all.map((args) => ({ kind: 'command', args })));
    }),
    { seed: 11 },
  );
});

test('no bytes throw', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('*', '$', '1', '2', '\r\n', '\r', 'a', '-')), (pieces) => {
      expect(() => read(...pieces)).not.toThrow();
    }),
    { seed: 11 },
  );
});
