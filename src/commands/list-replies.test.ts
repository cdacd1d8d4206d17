/**
 * Goal: what LRANGE writes in runs is what a reply of single elements is. Method: lists of elements
 * of all kinds and sizes, each range against the array, encoded plainly.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { type BytesView, Keyspace } from '../keyspace/index.ts';
import { ReplyBufferPool, ReplyWriter } from '../resp/index.ts';
import { replyElements } from './list-replies.ts';

const hooks = { expired: () => {}, touched: () => {}, replaced: () => {}, rubbish: () => {} };

function view(buf: Buffer): BytesView {
  return { buf, at: 0, size: buf.length };
}

const bytes = fc.uint8Array({ maxLength: 24 }).map((each) => Buffer.from(each));
/** Eight bytes of it are not a number as a double. */
const notNumber = fc.constantFrom('fff8000000000001', '010000000000f07f', 'ffffffffffffffffff7f');
const value = fc.oneof(
  bytes,
  notNumber.map((hex) => Buffer.from(hex, 'hex')),
  fc.integer().map((int) => Buffer.from(String(int))),
  fc.maxSafeInteger().map((int) => Buffer.from(String(int))),
  fc
    .constantFrom(
      '0',
      '9',
      '10',
      '127',
      '128',
      '4095',
      '-1',
      '2147483647',
      '2147483648',
      '9223372036854775807',
      '',
    )
    .map((text) => Buffer.from(text)),
  fc
    .tuple(
      fc.constantFrom(9, 10, 63, 64, 99, 100, 127, 128, 511, 512, 4095, 4096, 9000),
      fc.nat(255),
    )
    .map(([size, fill]) => Buffer.alloc(size, fill)),
);

function plain(values: readonly Buffer[]): string {
  return values.map((each) => `$${each.length}\r\n${each.toString('latin1')}\r\n`).join('');
}

test('every range of a list is answered as its elements', () => {
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 200, size: 'max' }),
      fc.nat(),
      fc.nat(),
      (values, from, length) => {
        const keyspace = new Keyspace({ rng: seededRng(1), hooks });
        const db = keyspace.db(0);
        const { lists } = db.store;
        let ref = lists.create(db, view(Buffer.from('key')), view(values[0]!));
        for (const each of values.slice(1)) ref = lists.push(db, ref, view(each), false);
        const reply = new ReplyWriter(new ReplyBufferPool(), () => undefined);
        const start = from % values.length;
        const count = 1 + (length % (values.length - start));
        lists.cursor.seek(ref, start);
        replyElements(lists.cursor, count, reply);
        replyElements(lists.cursor, 0, reply);
        const written = reply.pending.toString('latin1', 0, reply.length);
        expect(written).toBe(plain(values.slice(start, start + count)));
      },
    ),
    { numRuns: 150 },
  );
});

test('a muted client gets nothing', () => {
  const keyspace = new Keyspace({ rng: seededRng(1), hooks });
  const db = keyspace.db(0);
  const { lists } = db.store;
  const ref = lists.create(db, view(Buffer.from('key')), view(Buffer.from('value')));
  const reply = new ReplyWriter(new ReplyBufferPool(), () => undefined);
  reply.isMuted = true;
  lists.cursor.seek(ref, 0);
  replyElements(lists.cursor, 1, reply);
  expect(reply.length).toBe(0);
});
