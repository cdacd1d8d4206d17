import { expect, test } from 'vitest';
import { TestNode } from './test-node.ts';

const PIECE_BYTES = 65_536;

/** Digits that differ from place to place, so that one that is lost or comes twice is seen. */
function digits(size: number): string {
  return Array.from({ length: Math.ceil(size / 8) }, (_, i) => String(i).padStart(8, '0'))
    .join('')
    .slice(0, size);
}

function command(...args: readonly string[]): string {
  const parts = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`);
  return `*${args.length}\r\n${parts.join('')}`;
}

/** Sends a stream in pieces; returns all that came back. */
function sendInPieces(client: { send(text: string): string }, text: string): string {
  let received = '';
  for (let at = 0; at < text.length; at += PIECE_BYTES) {
    received += client.send(text.slice(at, at + PIECE_BYTES));
  }
  return received;
}

test('a long argument is read to its place, and what comes behind it is another request', () => {
  const client = new TestNode().connect();
  const value = digits(900_001);
  const sent = command('SET', 'a', value) + command('SET', 'b', 'x') + command('GET', 'b');
  expect(sendInPieces(client, sent)).toBe('+OK\r\n+OK\r\n$1\r\nx\r\n');
  expect(client.placedBytes).toBeGreaterThan(700_000);
  expect(client.call('GET', 'a')).toBe(`$${value.length}\r\n${value}\r\n`);
});

test('so are several of one request, of whatever sizes', () => {
  const client = new TestNode().connect();
  const values = [10, 70_000, 16_384, 300_000, 0, 200_000].map((size) => digits(size));
  const pairs = values.flatMap((value, i) => [`k${i}`, value]);
  const sent = command('MSET', ...pairs) + command('ECHO', digits(100_000)) + command('PING');
  expect(sendInPieces(client, sent)).toBe(`+OK\r\n$100000\r\n${digits(100_000)}\r\n+PONG\r\n`);
  for (const [i, value] of values.entries()) {
    expect(client.call('GET', `k${i}`)).toBe(`$${value.length}\r\n${value}\r\n`);
  }
});

test('what waits behind a blocked command is read to its place when it goes on', () => {
  const node = new TestNode();
  const client = node.connect();
  const value = digits(400_000);
  const sent = command('BLPOP', 'l', '0') + command('SET', 'a', value) + command('STRLEN', 'a');
  expect(sendInPieces(client, sent.slice(0, 200_000))).toBe('');
  node.connect().call('LPUSH', 'l', 'x');
  expect(client.received).toContain('$1\r\nx\r\n');
  expect(sendInPieces(client, sent.slice(200_000))).toBe('+OK\r\n:400000\r\n');
  expect(client.placedBytes).toBeGreaterThan(50_000);
  expect(client.call('GET', 'a')).toBe(`$400000\r\n${value}\r\n`);
});

test('bytes that come elsewhere than was asked are as good', () => {
  const client = new TestNode().connect();
  const value = digits(500_000);
  const sent = command('SET', 'a', value);
  client.send(sent.slice(0, 100_000));
  client.placesBytes = false;
  client.send(sent.slice(100_000, 150_000));
  client.placesBytes = true;
  expect(sendInPieces(client, sent.slice(150_000))).toBe('+OK\r\n');
  expect(client.call('GET', 'a')).toBe(`$500000\r\n${value}\r\n`);
});
