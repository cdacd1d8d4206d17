/** Commands of an append-only file in any cut, and where a torn end is cut off. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Request, encodeRequest } from '../resp/index.ts';
import { AofCommands, type AofCommandTarget } from './aof-commands.ts';

class Target implements AofCommandTarget {
  readonly ran: string[] = [];
  isInTransaction = false;

  forgetTransaction(): void {
    this.isInTransaction = false;
  }

  refusal(request: Request): string | undefined {
    return request.is(0, 'bad') ? 'no such command' : undefined;
  }

  run(buf: Buffer, at: number, size: number): void {
    const text = buf.toString('latin1', at, at + size);
    if (text.includes('MULTI')) this.isInTransaction = true;
    if (text.includes('EXEC')) this.isInTransaction = false;
    this.ran.push(text);
  }
}

const command = (...args: string[]): string => encodeRequest(args).toString('latin1');
const FILE = [
  '#TS:1700000000\r\n',
  command('SELECT', '0'),
  command('SET', 'key', 'x'.repeat(300)),
  command('MULTI'),
  command('SET', 'a', '1'),
  command('EXEC'),
  '#a remark\r\n',
];

test('any cut of the file runs the same commands', () => {
  const whole = Buffer.from(FILE.join(''), 'latin1');
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 30 }), (cuts) => {
      const target = new Target();
      const commands = new AofCommands(target, 0);
      let from = 0;
      for (const to of [...cuts.toSorted((a, b) => a - b), whole.length]) {
        expect(commands.push(Buffer.from(whole.subarray(from, to)))).toBe(undefined);
        from = to;
      }
      expect(target.ran).toEqual(FILE.filter((line) => line.startsWith('*')));
      expect([commands.isWhole, commands.soundBytes]).toEqual([true, whole.length]);
    }),
  );
});

test('a torn end is cut before the command, or before its transaction', () => {
  const starts = FILE.map((_, i) => FILE.slice(0, i).join('').length);
  const total = FILE.join('').length;
  for (let size = 0; size <= total; size++) {
    const commands = new AofCommands(new Target(), 100);
    commands.push(Buffer.from(FILE.join('').slice(0, size), 'latin1'));
    // Only the places before these parts, and the end, are outside of a transaction.
    const sound = [...starts.filter((_, i) => i <= 3 || i === 6), total].filter((at) => at <= size);
    expect(commands.soundBytes).toBe(100 + sound.at(-1)!);
    expect(commands.isWhole).toBe(sound.at(-1) === size);
  }
});

test.each([
  ['foo\r\n', 'format'],
  ['*1\r\nfoo\r\n', 'format'],
  ['*0\r\n', 'format'],
  [command('BAD'), { refusal: 'no such command' }],
])('%j is refused', (text, reason) => {
  expect(new AofCommands(new Target(), 0).push(Buffer.from(text))).toEqual(reason);
});
