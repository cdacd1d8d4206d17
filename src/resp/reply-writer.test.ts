import { expect, test } from 'vitest';
import { REPLY_BUFFER_BYTES, ReplyBufferPool, ReplyWriter } from './index.ts';

function writer(resp: 2 | 3 = 2): ReplyWriter {
  const made = new ReplyWriter(new ReplyBufferPool(), () => undefined);
  made.resp = resp;
  return made;
}

function bytesOf(each: ReplyWriter): string {
  return each.pending.toString('latin1', 0, each.length);
}

/** What one call writes, in RESP2 and in RESP3. */
function both(write: (to: ReplyWriter) => void): readonly [string, string] {
  const two = writer(2);
  const three = writer(3);
  write(two);
  write(three);
  return [bytesOf(two), bytesOf(three)];
}

test('what RESP2 lacks is written as RESP2 clients expect it', () => {
  expect(both((to) => to.nullBulk())).toEqual(['$-1\r\n', '_\r\n']);
  expect(both((to) => to.nullArray())).toEqual(['*-1\r\n', '_\r\n']);
  expect(both((to) => to.map(2))).toEqual(['*4\r\n', '%2\r\n']);
  expect(both((to) => to.set(2))).toEqual(['*2\r\n', '~2\r\n']);
  expect(both((to) => to.push(2))).toEqual(['*2\r\n', '>2\r\n']);
  expect(both((to) => to.attribute(1))).toEqual(['', '|1\r\n']);
  expect(both((to) => to.double('1.5'))).toEqual(['$3\r\n1.5\r\n', ',1.5\r\n']);
  expect(both((to) => to.boolean(true))).toEqual([':1\r\n', '#t\r\n']);
  expect(both((to) => to.bigNumber('12'))).toEqual(['$2\r\n12\r\n', '(12\r\n']);
  expect(both((to) => to.verbatim('txt', 'ab'))).toEqual(['$2\r\nab\r\n', '=6\r\ntxt:ab\r\n']);
});

test('numbers of every length are written in full', () => {
  const to = writer();
  for (const value of [0, 9, 10, 99, 100, 999, 1000, 65536, 2147483646, 2147483647, -1]) {
    to.clear();
    to.int(value);
    expect(bytesOf(to)).toBe(`:${value}\r\n`);
  }
  to.clear();
  to.int(-9223372036854775808n);
  expect(bytesOf(to)).toBe(':-9223372036854775808\r\n');
});

test('an error is one line, counted and remembered', () => {
  const to = writer();
  to.error("ERR expected '$', got '\r'\n");
  expect(bytesOf(to)).toBe("-ERR expected '$', got ' '\r\n");
  expect([to.errorCount, to.lastError]).toEqual([1, "ERR expected '$', got ' '"]);
});

test('a buffer grows over any size and keeps what was there', () => {
  const to = writer();
  let expected = '';
  for (const size of [1, 47, 48, 49, REPLY_BUFFER_BYTES - 20, REPLY_BUFFER_BYTES, 300_000, 3]) {
    const bytes = Buffer.alloc(size + 2, String(size % 10));
    to.bulk(bytes, 1, size);
    to.bulkText(bytes.toString('latin1', 0, size));
    const text = bytes.toString('latin1', 0, size);
    expected += `$${size}\r\n${text}\r\n`.repeat(2);
  }
  expect(bytesOf(to)).toBe(expected);
});

test('a muted writer writes nothing and still counts errors', () => {
  const to = writer(3);
  to.isMuted = true;
  to.ok();
  to.error('ERR no');
  to.bulkText('text');
  to.bulkBytes(Buffer.from('bytes'));
  to.map(3);
  to.verbatim('txt', 'text');
  expect([to.length, to.errorCount]).toEqual([0, 1]);
});

test('onBegin comes once for each run of bytes, and again after they were taken', () => {
  let begun = 0;
  const to = new ReplyWriter(new ReplyBufferPool(), () => begun++);
  to.ok();
  to.int(1);
  expect(begun).toBe(1);
  to.clear();
  to.ok();
  expect(begun).toBe(2);
});

test('a cleared buffer serves the next writer, an abandoned one does not', () => {
  const pool = new ReplyBufferPool();
  const first = new ReplyWriter(pool, () => undefined);
  const second = new ReplyWriter(pool, () => undefined);
  first.ok();
  const shared = first.pending;
  first.clear();
  second.ok();
  expect(second.pending).toBe(shared);
  second.abandon();
  first.ok();
  expect(first.pending).not.toBe(shared);
});

test('truncate takes back what was written last', () => {
  const to = writer();
  to.ok();
  const { length } = to;
  to.bulkText('taken back');
  to.truncate(length);
  to.int(5);
  expect(bytesOf(to)).toBe('+OK\r\n:5\r\n');
});

test('wrapArray makes what was written an array, whatever its size', () => {
  for (const size of [0, 1, 9, 10, 1000, REPLY_BUFFER_BYTES]) {
    const to = writer();
    to.ok();
    const start = to.length;
    for (let i = 0; i < size; i++) to.int(i);
    to.wrapArray(start, size);
    const elements = Array.from({ length: size }, (_, i) => `:${i}\r\n`).join('');
    expect(bytesOf(to)).toBe(`+OK\r\n*${size}\r\n${elements}`);
  }
});
