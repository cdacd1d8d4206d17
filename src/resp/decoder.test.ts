import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DEFAULT_REPLY_LIMITS,
  type Decoded,
  PushReply,
  type Reply,
  ReplyBufferPool,
  ReplyError,
  ReplyWriter,
  decodeReply,
} from './index.ts';

const RUNS = { seed: 11, numRuns: 300 };

function decode(text: string): Decoded {
  return decodeReply(Buffer.from(text, 'latin1'), 0);
}

function valueOf(text: string): Reply {
  const decoded = decode(text);
  if (decoded.kind !== 'value') throw new Error(`Cannot decode ${text}: ${decoded.kind}`);
  expect(decoded.end).toBe(text.length);
  return decoded.value;
}

/** A reply as the writer is told it, with the value that a client sees in either version. */
type Shape =
  | { readonly kind: 'simple' | 'bulk' | 'error' | 'big'; readonly text: string }
  | { readonly kind: 'int'; readonly value: number | bigint }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'array' | 'set' | 'map'; readonly items: readonly Shape[] };

const word = fc.string({ unit: fc.constantFrom('a', 'é', ' ', '*', '$'), maxLength: 70 });
const shape = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.record({ kind: fc.constantFrom('simple', 'bulk', 'error'), text: word }),
    fc.record({ kind: fc.constant('big'), text: fc.bigInt().map(String) }),
    fc.record({ kind: fc.constant('int'), value: fc.maxSafeInteger() }),
    fc.record({ kind: fc.constant('int'), value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
    fc.record({ kind: fc.constant('boolean'), value: fc.boolean() }),
    fc.record({ kind: fc.constant('null') }),
    fc.record({
      kind: fc.constantFrom('array', 'set', 'map'),
      items: fc.array(tie('shape'), { maxLength: 6 }),
    }),
  ) as fc.Arbitrary<Shape>,
})).shape;

function write(writer: ReplyWriter, each: Shape): void {
  switch (each.kind) {
    case 'simple':
      return writer.simple(each.text);
    case 'bulk':
      return writer.bulkText(each.text);
    case 'error':
      return writer.error(each.text);
    case 'big':
      return writer.bigNumber(each.text);
    case 'int':
      return writer.int(each.value);
    case 'boolean':
      return writer.boolean(each.value);
    case 'null':
      return writer.nullBulk();
    case 'array':
    case 'set':
      writer[each.kind](each.items.length);
      break;
    case 'map':
      writer.map(each.items.length);
      for (const [i, item] of each.items.entries()) {
        writer.int(i);
        write(writer, item);
      }
      return;
  }
  for (const item of each.items) write(writer, item);
}

function seen(each: Shape, resp: 2 | 3): Reply {
  switch (each.kind) {
    case 'simple':
      return each.text;
    case 'bulk':
      return Buffer.from(each.text, 'latin1');
    case 'error':
      return new ReplyError(each.text);
    case 'big':
      return resp === 3 ? BigInt(each.text) : Buffer.from(each.text);
    case 'int':
      return Number.isSafeInteger(Number(each.value)) ? Number(each.value) : each.value;
    case 'boolean':
      return resp === 3 ? each.value : Number(each.value);
    case 'null':
      return null;
    case 'array':
    case 'set':
      return each.items.map((item) => seen(item, resp));
    case 'map': {
      const pairs = each.items.map((item, i) => [i, seen(item, resp)] as const);
      return resp === 3 ? new Map(pairs) : pairs.flat();
    }
  }
}

function written(each: Shape, resp: 2 | 3): Buffer {
  const writer = new ReplyWriter(new ReplyBufferPool(), () => undefined);
  writer.resp = resp;
  write(writer, each);
  return Buffer.from(writer.pending.subarray(0, writer.length));
}

test('what the writer writes is what the decoder reads, in RESP2 and RESP3', () => {
  fc.assert(
    fc.property(shape, fc.constantFrom(2, 3), (each, resp) => {
      const bytes = written(each, resp);
      expect(decodeReply(bytes, 0)).toEqual({
        kind: 'value',
        value: seen(each, resp),
        end: bytes.length,
      });
    }),
    RUNS,
  );
});

test('every cut of a reply asks for more', () => {
  fc.assert(
    fc.property(shape, (each) => {
      const bytes = written(each, 3);
      for (let size = 0; size < bytes.length; size++) {
        expect(decodeReply(bytes.subarray(0, size), 0)).toEqual({ kind: 'more' });
      }
    }),
    { ...RUNS, numRuns: 100 },
  );
});

test('arbitrary bytes never throw', () => {
  const alphabet = fc.constantFrom(...'*$+-:_,#!=(%~>|0123456789tf\r\n\r\n\r\n'.split(''), '\r\n');
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 120 }), (bytes) => {
      expect(['value', 'more', 'malformed']).toContain(decode(bytes.join('')).kind);
    }),
    { ...RUNS, numRuns: 3000 },
  );
});

test('each type of RESP3 becomes its plain value', () => {
  expect(valueOf('_\r\n')).toBeNull();
  expect(valueOf('#t\r\n')).toBe(true);
  expect(valueOf(',3.25\r\n')).toBe(3.25);
  expect(valueOf(',-inf\r\n')).toBe(-Infinity);
  expect(valueOf(',nan\r\n')).toBeNaN();
  expect(valueOf('(123456789012345678901234567890\r\n')).toBe(123456789012345678901234567890n);
  expect(valueOf('=7\r\ntxt:abc\r\n')).toEqual(Buffer.from('abc'));
  expect(valueOf('!9\r\nERR a\r\nbc\r\n')).toEqual(new ReplyError('ERR a\r\nbc'));
  expect(valueOf('>2\r\n+message\r\n:1\r\n')).toEqual(new PushReply(['message', 1]));
  expect(valueOf('*-1\r\n')).toBeNull();
  expect(valueOf('$-1\r\n')).toBeNull();
  expect(valueOf(':9223372036854775807\r\n')).toBe(9223372036854775807n);
});

test('attributes are passed over, wherever they stand and even when they are empty', () => {
  expect(valueOf('|1\r\n+ttl\r\n:3600\r\n+value\r\n')).toBe('value');
  expect(valueOf('*2\r\n|1\r\n+ttl\r\n:1\r\n:7\r\n:8\r\n')).toEqual([7, 8]);
  expect(valueOf('|0\r\n:7\r\n')).toBe(7);
});

test('nonsense is named', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['?\r\n', "unknown reply type '?'"],
    [':1x\r\n', 'bad integer'],
    ['#x\r\n', 'bad boolean'],
    [',x\r\n', 'bad double'],
    ['(1.5\r\n', 'bad big number'],
    ['$-2\r\n', 'bad bulk length'],
    ['$536870913\r\n', 'bad bulk length'],
    ['$1\r\nabc', 'bulk string without its end of line'],
    ['*16777217\r\n', 'bad aggregate length'],
    ['%-1\r\n', 'bad aggregate length'],
    ['*1\r\n'.repeat(65), 'aggregates nested too deeply'],
    [`:${'1'.repeat(70_000)}`, 'line too long'],
    [`:${'1'.repeat(70_000)}\r\n`, 'line too long'],
  ];
  for (const [text, reason] of rows) {
    expect(decode(text), text.slice(0, 20)).toEqual({ kind: 'malformed', reason });
  }
});

test('aggregates may be nested up to the bound, and lengths up to theirs', () => {
  expect(decode(`${'*1\r\n'.repeat(64)}:1\r\n`).kind).toBe('value');
  expect(decode('*16777216\r\n')).toEqual({ kind: 'more' });
  expect(decode('$536870912\r\n')).toEqual({ kind: 'more' });
  const limits = { ...DEFAULT_REPLY_LIMITS, bulkBytesMax: 3 };
  expect(decodeReply(Buffer.from('$4\r\nabcd\r\n'), 0, limits).kind).toBe('malformed');
});

test('a simple string may be long, as those of MONITOR are', () => {
  const text = 'x'.repeat(100_000);
  expect(decode(`+${text}`)).toEqual({ kind: 'more' });
  expect(valueOf(`+${text}\r\n`)).toBe(text);
});

test('the code of an error is its first word', () => {
  expect(new ReplyError('MOVED 1 127.0.0.1:7000').code).toBe('MOVED');
  expect(new ReplyError('EXECABORT').code).toBe('EXECABORT');
});
