/** Fields of INFO that the parts of a node count. */
import { expect, test } from 'vitest';
import type { TestClient } from './test-node.ts';
import { TestNode } from './test-node.ts';

function field(client: TestClient, section: string, name: string): number {
  const value = new RegExp(`\\n${name}:(\\S+)`).exec(client.call('INFO', section))?.[1];
  return Number(value ?? NaN);
}

test('reads and writes are counted, a pipeline as one of each', () => {
  const client = new TestNode().connect();
  const before = field(client, 'stats', 'total_reads_processed');
  expect(before).toBe(1);
  client.send('PING\r\nPING\r\nPING\r\n');
  expect(field(client, 'stats', 'total_reads_processed')).toBe(before + 2);
  expect(field(client, 'stats', 'total_writes_processed')).toBe(3);
  client.call('CONFIG', 'RESETSTAT');
  expect(field(client, 'stats', 'total_writes_processed')).toBe(1);
});

test('the largest input and output of a client is remembered for some seconds', () => {
  const node = new TestNode('notify-keyspace-events ""');
  const client = node.connect();
  const slow = node.connect();
  slow.isReading = false;
  client.call('SET', 'key', 'x'.repeat(300_000));
  slow.call('GET', 'key');
  const sender = node.connect();
  sender.send(`*2\r\n$3\r\nGET\r\n$900000\r\n${'x'.repeat(150_000)}`);
  node.pass(1000);
  const output = (): number => field(client, 'clients', 'client_recent_max_output_buffer');
  const input = (): number => field(client, 'clients', 'client_recent_max_input_buffer');
  expect(output()).toBeGreaterThan(300_000);
  expect(input()).toBeGreaterThan(150_000);
  slow.disconnect();
  sender.disconnect();
  node.pass(5000);
  expect(output()).toBeGreaterThan(300_000);
  node.pass(5000);
  expect([output(), input()]).toEqual([0, 0]);
});

test('active expiry tells its time and the share of what it found stale, and looks as hard as it is told', () => {
  const stale = (effort: string): number => {
    const node = new TestNode(`active-expire-effort ${effort}`);
    const client = node.connect();
    for (let i = 0; i < 1000; i++)
      client.call('SET', `key:${i}`, 'x', 'PX', i % 20 === 0 ? '50' : '100000');
    node.stepUs = 10;
    node.pass(100);
    expect(field(client, 'stats', 'expired_stale_perc')).toBeGreaterThan(0);
    node.pass(200);
    const expired = field(client, 'stats', 'expired_keys');
    node.pass(20_000);
    expect(field(client, 'stats', 'expire_cycle_cpu_milliseconds')).toBeGreaterThan(0);
    expect(field(client, 'stats', 'expired_keys')).toBe(50);
    return expired;
  };
  expect(stale('10')).toBeGreaterThan(stale('1'));
});
