/**
 * Goal: keys of every type arrive at the other end as they are, whole or in pieces, changed in between or not.
 * Method: the commands made of one node's keys run on another; both digests are compared.
 */
import { expect, test } from 'vitest';
import type { Database, Ref } from '../keyspace/index.ts';
import { SlotFormat } from './slot-format.ts';
import { SlotLargeKeys } from './slot-large-keys.ts';
import { type TestClient, TestNode } from './test-node.ts';

const ELEMENTS = 700;

function numbers(item: (n: number) => readonly string[]): string[] {
  return Array.from({ length: ELEMENTS }, (_, n) => item(n)).flat();
}

/** A key of every type that is too large for a packed form. */
function fillLarge(client: TestClient): void {
  client.call('RPUSH', 'list', ...numbers((n) => [n % 3 === 0 ? String(n) : `element ${n}`]));
  client.call('SADD', 'set', ...numbers((n) => [`member ${n}`]));
  client.call('HSET', 'hash', ...numbers((n) => [`field ${n}`, `value ${n}`]));
  client.call('ZADD', 'zset', ...numbers((n) => [String(n / 7), `member ${n}`]));
  for (let n = 1; n <= ELEMENTS; n++)
    client.call('XADD', 'stream', `${n}-0`, 'field', `value ${n}`);
  client.call('XGROUP', 'CREATE', 'stream', 'group', '0');
  client.call('XREADGROUP', 'GROUP', 'group', 'me', 'COUNT', '9', 'STREAMS', 'stream', '>');
  client.call('PEXPIREAT', 'hash', '1800000000000');
}

function fillSmall(client: TestClient): void {
  client.call('SET', 'text', 'x'.repeat(1000));
  client.call('SET', 'short', 'y'.repeat(99));
  client.call('SET', 'empty', '');
  client.call('SET', 'number', '-12345');
  client.call('SET', 'until', 'z', 'PXAT', '1800000000123');
  client.call('RPUSH', 'small list', 'a', 'b');
  client.call('HSET', 'small hash', 'f', 'v');
  client.call('PEXPIREAT', 'small hash', '1800000000456');
}

class Ends {
  readonly source: TestNode = new TestNode();
  readonly target: TestNode = new TestNode();
  readonly from: TestClient = this.source.connect();
  readonly to: TestClient = this.target.connect();
  readonly db: Database = this.source.node.keyspace.db(0);
  readonly format: SlotFormat = new SlotFormat(this.db);
  readonly large: SlotLargeKeys = new SlotLargeKeys(this.db, this.format);
  pieces = 0;

  add(): void {
    this.db.forEach((ref: Ref) => {
      if (this.db.entries.isLarge(ref)) this.large.add(ref);
      else this.format.entry(ref);
    });
  }

  /** A piece of the large values, at the target too. */
  next(): void {
    this.large.next(50);
    this.send();
    this.pieces++;
  }

  send(): void {
    expect(this.to.send(this.format.take().toString('latin1'))).not.toContain('-ERR');
  }

  expectEqual(): void {
    expect(this.to.call('DEBUG', 'DIGEST')).toBe(this.from.call('DEBUG', 'DIGEST'));
    expect(this.to.call('PEXPIRETIME', 'until')).toBe(this.from.call('PEXPIRETIME', 'until'));
    expect(this.to.call('PEXPIRETIME', 'hash')).toBe(this.from.call('PEXPIRETIME', 'hash'));
  }
}

test('every type arrives, large ones in pieces', () => {
  const ends = new Ends();
  fillSmall(ends.from);
  fillLarge(ends.from);
  ends.add();
  ends.send();
  while (!ends.large.isEmpty) ends.next();
  expect(ends.pieces).toBeGreaterThan(50);
  ends.expectEqual();
  expect(ends.to.call('XPENDING', 'stream', 'group')).toBe(
    ends.from.call('XPENDING', 'stream', 'group'),
  );
});

test('what is written to on its way begins anew, and goes whole in the end', () => {
  const ends = new Ends();
  ends.from.call('HSET', 'hash', ...numbers((n) => [`field ${n}`, 'value']));
  ends.add();
  const key = Buffer.from('hash');
  for (let n = 0; !ends.large.isEmpty; n++) {
    ends.next();
    if (!ends.large.has(key)) break;
    ends.from.call('HSET', 'hash', `new ${n}`, '1', 'field 3', String(n));
    ends.from.call('HDEL', 'hash', `field ${n + 5}`);
    ends.large.changed(key);
  }
  expect(ends.pieces).toBe(5);
  ends.expectEqual();
});

test('a value that is deleted on its way, or made small, is so at the target', () => {
  const ends = new Ends();
  fillLarge(ends.from);
  ends.add();
  ends.next();
  for (const name of ['hash', 'list', 'set', 'zset', 'stream']) {
    ends.from.call('DEL', name);
    ends.large.changed(Buffer.from(name));
  }
  ends.from.call('SET', 'zset', 'small');
  while (!ends.large.isEmpty) ends.next();
  ends.expectEqual();
  expect(ends.to.call('DBSIZE')).toBe(':1\r\n');
});
