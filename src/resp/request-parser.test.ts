import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LINE_BYTES_MAX, NEED_MORE, Request, RequestParser, encodeRequest } from './index.ts';
import { type Heard, OPTIONS, cutAt, hear } from './test-stream.ts';

const RUNS = { seed: 7, numRuns: 300 };
const PING = '*1\r\n$4\r\nPING\r\n';

function hearText(text: string, isAuthenticated = true): Heard {
  return hear([Buffer.from(text, 'latin1')], { isAuthenticated });
}

const argument = fc
  .uint8Array({ maxLength: 120 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const call = fc.array(argument, { minLength: 1, maxLength: 12 });
const places = fc.array(fc.nat(4000), { maxLength: 40 });

test('any cut of the bytes gives the same requests, arguments of any bytes', () => {
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 5 }), places, (calls, cuts) => {
      const bytes = Buffer.concat(calls.map((args) => encodeRequest(args)));
      const heard = hear(cutAt(bytes, cuts));
      expect(heard).toEqual({ requests: calls, error: undefined, waiting: 0 });
    }),
    RUNS,
  );
});

test('one byte at a time gives the same as all at once, for whole, empty, inline and broken requests', () => {
  const parts = fc.constantFrom(PING, '*0\r\n', '*-1\r\n', '\r\n', 'SET a  b\n', 'GET x\r\n');
  const broken = fc.constantFrom(
    '',
    '*x\r\n',
    '*1\r\n:1\r\n',
    '*1\r\n$x\r\n',
    'a"\r\n',
    '*2\r\n$1',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 8 }), broken, (whole, end) => {
      const bytes = Buffer.from(whole.join('') + end, 'latin1');
      const atOnce = hear([bytes]);
      const slowly = hear(cutAt(bytes, [...bytes.keys()]));
      expect(slowly.requests).toEqual(atOnce.requests);
      expect(slowly.error).toBe(atOnce.error);
    }),
    RUNS,
  );
});

test('arbitrary bytes never throw and never make up bytes', () => {
  const alphabet = fc.constantFrom(...'*$0123456789-\r\n\r\n:"aP\0\xff'.split(''));
  const noise = fc.array(alphabet, { maxLength: 200 }).map((bytes) => bytes.join(''));
  fc.assert(
    fc.property(noise, places, (text, cuts) => {
      const { requests, waiting } = hear(cutAt(Buffer.from(text, 'latin1'), cuts));
      for (const each of requests.flat()) expect(text).toContain(each);
      expect(waiting).toBeLessThanOrEqual(text.length);
    }),
    { ...RUNS, numRuns: 2000 },
  );
});

test('arguments are views of the bytes they came in, and an array keeps its whole range', () => {
  const request = new Request();
  const buf = Buffer.from(`xx${PING}`);
  const parser = new RequestParser(OPTIONS);
  parser.parse(request, buf, 2, buf.length);
  expect(request.buf).toBe(buf);
  expect([request.start, request.end, parser.end]).toEqual([2, buf.length, buf.length]);
  expect(request.isInline).toBe(false);
  expect(request.bytes(0).buffer).toBe(buf.buffer);
});

test('an inline request has the canonical bytes of an array and says that it was typed', () => {
  const request = new Request();
  const buf = Buffer.from('SET key value\r\n');
  new RequestParser(OPTIONS).parse(request, buf, 0, buf.length);
  expect(request.isInline).toBe(true);
  expect(request.buf.toString()).toBe('*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n');
  expect([request.text(0), request.text(1), request.text(2)]).toEqual(['SET', 'key', 'value']);
});

// Each row was asked of redis-server 7.0.15 through a raw socket.
test('a broken request has the error text of the real server', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['*x\r\n', 'invalid multibulk length'],
    ['*\r\n', 'invalid multibulk length'],
    ['*+1\r\n', 'invalid multibulk length'],
    ['*01\r\n', 'invalid multibulk length'],
    ['*-0\r\n', 'invalid multibulk length'],
    ['* 1\r\n', 'invalid multibulk length'],
    ['*1\n$4\r\n', 'invalid multibulk length'],
    ['*2147483648\r\n', 'invalid multibulk length'],
    ['*99999999999999999999\r\n', 'invalid multibulk length'],
    ['*1\r\n:4\r\nPING\r\n', "expected '$', got ':'"],
    ['*1\r\n\xff\r\n', "expected '$', got '\xff'"],
    ['*1\r\n$x\r\n', 'invalid bulk length'],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$\r\n', 'invalid bulk length'],
    ['*1\r\n$04\r\nPING\r\n', 'invalid bulk length'],
    ['*1\r\n$4\nPING\r\n', 'invalid bulk length'],
    ['*1\r\n$536870913\r\n', 'invalid bulk length'],
    ['*1\r\n$99999999999999999999\r\n', 'invalid bulk length'],
    ['SET "a\r\n', 'unbalanced quotes in request'],
    ['a'.repeat(LINE_BYTES_MAX + 1), 'too big inline request'],
    [`*${'1'.repeat(LINE_BYTES_MAX)}`, 'too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(LINE_BYTES_MAX)}`, 'too big bulk count string'],
    [`*${'1'.repeat(LINE_BYTES_MAX)}\r\n`, 'invalid multibulk length'],
    [`*1\r\n$${'1'.repeat(LINE_BYTES_MAX)}\r\n`, 'invalid bulk length'],
  ];
  for (const [text, error] of rows) {
    expect(hearText(PING + text), text.slice(0, 40)).toMatchObject({ requests: [['PING']], error });
  }
});

test('what is just within a bound waits for more', () => {
  const rows = [
    'a'.repeat(LINE_BYTES_MAX),
    `*${'1'.repeat(LINE_BYTES_MAX - 1)}`,
    `*1\r\n$${'1'.repeat(LINE_BYTES_MAX - 1)}`,
    '*2147483647\r\n',
    '*1\r\n$536870912\r\n',
  ];
  for (const text of rows) {
    expect(hearText(text), text.slice(0, 40)).toEqual({
      requests: [],
      error: undefined,
      waiting: text.length,
    });
  }
});

test('counts of nothing are skipped, however small', () => {
  for (const count of ['0', '-1', '-10', '-9999999999999999', '-9223372036854775808']) {
    expect(hearText(`*${count}\r\n${PING}`).requests, count).toEqual([['PING']]);
  }
});

test('the two bytes behind bulk data, and the one behind a CR, are never looked at', () => {
  expect(hearText(`*1\r\n$4\r\nPINGxy${PING}`).requests).toEqual([['PING'], ['PING']]);
  expect(hearText(`*1\rX$4\rXPINGXX${PING}`).requests).toEqual([['PING'], ['PING']]);
});

test('strangers have smaller bounds than those who logged in', () => {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['*10\r\n', undefined],
    ['*11\r\n', 'unauthenticated multibulk length'],
    ['*1\r\n$16384\r\n', undefined],
    ['*1\r\n$16385\r\n', 'unauthenticated bulk length'],
  ];
  for (const [text, error] of rows) {
    expect(hearText(text, false).error, text).toBe(error);
    expect(hearText(text, true).error, text).toBeUndefined();
  }
});

test('proto-max-bulk-len is asked at each request', () => {
  const options = { ...OPTIONS, bulkBytesMax: 100 };
  const parser = new RequestParser(options);
  const buf = Buffer.from('*1\r\n$200\r\n');
  options.bulkBytesMax = 200;
  expect(parser.parse(new Request(), buf, 0, buf.length)).toBe(NEED_MORE);
});

test('a huge announced count reserves nothing before arguments come', () => {
  const request = new Request();
  const buf = Buffer.from('*2147483647\r\n$1\r\na\r\n');
  new RequestParser(OPTIONS).parse(request, buf, 0, buf.length);
  expect(request.at.length).toBeLessThanOrEqual(1024);
});

test('an unfinished bulk string tells how many bytes the request needs in all', () => {
  const parser = new RequestParser(OPTIONS);
  const buf = Buffer.from('*2\r\n$3\r\nGET\r\n$1000\r\nab');
  parser.parse(new Request(), buf, 0, buf.length);
  expect(parser.neededBytes).toBe(buf.length - 2 + 1000 + 2);
});

test('pieces of a long request do not touch the arguments that were read before', () => {
  const args = ['SET', 'key', 'value', 'EX', '10'];
  const bytes = encodeRequest(args);
  const parser = new RequestParser(OPTIONS);
  const request = new Request();
  for (let limit = 1; limit < bytes.length; limit++) {
    request.at.fill(-1);
    expect(parser.parse(request, bytes, 0, limit)).toBe(NEED_MORE);
    // At most the one that this byte completed: otherwise a request in n pieces costs n squared.
    expect([...request.at].filter((at) => at !== -1).length).toBeLessThanOrEqual(1);
  }
  parser.parse(request, bytes, 0, bytes.length);
  expect(args.map((_, i) => request.text(i))).toEqual(args);
});

test('of an unfinished request it tells what is understood, and what its whole arguments take', () => {
  const parser = new RequestParser(OPTIONS);
  const request = new Request();
  const after = (text: string): readonly [number, number] => {
    parser.parse(request, Buffer.from(text), 0, text.length);
    return [parser.understoodBytes, parser.argumentBytes];
  };
  expect(after('*2')).toEqual([0, 0]);
  expect(after('*2\r\n$3')).toEqual([4, 0]);
  expect(after('*2\r\n$3\r\nGE')).toEqual([8, 0]);
  expect(after('*2\r\n$3\r\nGET\r\n')).toEqual([13, 3]);
  expect(after('*2\r\n$3\r\nGET\r\n$100\r\nabc')).toEqual([19, 3]);
  expect(after(`*2\r\n$3\r\nGET\r\n$100\r\n${'a'.repeat(100)}\r\n`)).toEqual([0, 0]);
});
