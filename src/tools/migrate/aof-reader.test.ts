/** Goal: commands come out of a log whole and in order, however its bytes are cut, and none behind the moment wanted. */
import { expect, test } from 'vitest';
import { type Request, encodeRequest } from '../../resp/index.ts';
import { AofReader } from './aof-reader.ts';

const LOG: Buffer = Buffer.concat([
  Buffer.from('#TS:100\r\n'),
  encodeRequest(['SELECT', '2']),
  encodeRequest(['SET', 'a', 'x'.repeat(500)]),
  Buffer.from('#TS:101\r\n'),
  encodeRequest(['MULTI']),
  encodeRequest(['INCR', 'b']),
  encodeRequest(['EXEC']),
  Buffer.from('#TS:102\r\n'),
  encodeRequest(['DEL', 'a']),
]);

function read(pieces: readonly Buffer[], until?: number): { ran: string[]; reader: AofReader } {
  const ran: string[] = [];
  let isInTransaction = false;
  const target = {
    get isInTransaction(): boolean {
      return isInTransaction;
    },
    run: (_buf: Buffer, _at: number, _size: number, request: Request): void => {
      if (request.is(0, 'multi')) isInTransaction = true;
      if (request.is(0, 'exec')) isInTransaction = false;
      ran.push(`${request.text(0)}${request.argc > 1 ? ` ${request.text(1)}` : ''}`);
    },
    applied: (): void => undefined,
    getAck: (): void => undefined,
  };
  const reader = new AofReader(target, until);
  reader.begin();
  for (const piece of pieces) expect(reader.push(piece)).toBeUndefined();
  return { ran, reader };
}

const ALL = ['SELECT 0', 'SELECT 2', 'SET a', 'MULTI', 'INCR b', 'EXEC', 'DEL a'];

test('every cut of the bytes gives the same commands', () => {
  for (const size of [1, 2, 7, 64, LOG.length]) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < LOG.length; at += size) pieces.push(LOG.subarray(at, at + size));
    expect(read(pieces).ran).toEqual(ALL);
  }
});

test('it ends before the first time stamp that is later than is wanted', () => {
  expect(read([LOG], 102).ran).toEqual(ALL);
  const { ran, reader } = read([LOG], 101);
  expect(ran).toEqual(ALL.slice(0, -1));
  expect(reader.isOver).toBe(true);
});

test('a torn command at the end is left, text that is no command is refused', () => {
  const { ran, reader } = read([LOG.subarray(0, LOG.length - 3)]);
  expect(ran).toEqual(ALL.slice(0, -1));
  expect(reader.restBytes).toBeGreaterThan(0);
  const { reader: other } = read([]);
  expect(other.push(Buffer.from('hello\r\n'))).toBe('text that is no command');
});
