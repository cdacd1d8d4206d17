/** Goal: FAILOVER loses no write and ends as it was asked to. Method: a master and a replica made of bytes. */
import { expect, test } from 'vitest';
import { type TestClient, TestNode } from './test-node.ts';
import { acknowledge, nodeWithReplica } from './test-replica.ts';

function info(client: TestClient): string {
  return client.call('INFO', 'replication');
}

test('writes wait, and the master follows the replica that has them all', () => {
  const { node, client, replica } = nodeWithReplica();
  expect(client.call('FAILOVER')).toBe('+OK\r\n');
  expect(info(client)).toContain('master_failover_state:waiting-for-sync\r\n');
  const writer = node.connect();
  expect(writer.call('SET', 'k', '2')).toBe('');
  expect(client.call('FAILOVER')).toBe('-ERR FAILOVER already in progress.\r\n');
  acknowledge(replica, client);
  expect(info(client)).toContain('master_failover_state:failover-in-progress\r\n');
  expect(info(client)).toContain('master_port:7777\r\n');
  expect(client.call('REPLICAOF', 'NO', 'ONE')).toMatch(/not allowed while failing over/);
  // The replica did not answer yet: all can still be taken back, with the write that waited.
  expect(client.call('FAILOVER', 'ABORT')).toBe('+OK\r\n');
  expect(info(client)).toMatch(/role:master[^]*master_failover_state:no-failover/);
  expect(writer.received).toBe('+OK\r\n');
});

test('a time-out ends the wait, by force with the replica that was named', () => {
  const { node, client } = nodeWithReplica();
  client.call('FAILOVER', 'TIMEOUT', '500');
  node.pass(600);
  expect(info(client)).toMatch(/role:master[^]*master_failover_state:no-failover/);
  expect(client.call('SET', 'k', '2')).toBe('+OK\r\n');
  const order = ['TO', '127.0.0.1', '7777', 'FORCE', 'TIMEOUT', '500'];
  expect(client.call('FAILOVER', ...order)).toBe('+OK\r\n');
  node.pass(600);
  expect(info(client)).toContain('master_failover_state:failover-in-progress\r\n');
});

test('what cannot be is refused with the words of Redis', () => {
  const { node, client } = nodeWithReplica();
  const refused = (...words: readonly string[]): string => client.call('FAILOVER', ...words);
  expect(refused('ABORT')).toBe('-ERR No failover in progress.\r\n');
  expect(refused('ABORT', 'TIMEOUT', '3')).toBe('-ERR syntax error\r\n');
  expect(refused('TIMEOUT', '0')).toBe('-ERR FAILOVER timeout must be greater than 0\r\n');
  expect(refused('TO', '127.0.0.1', 'x')).toBe('-ERR value is not an integer or out of range\r\n');
  expect(refused('TO', '127.0.0.1', '1')).toBe(
    '-ERR FAILOVER target HOST and PORT is not a replica.\r\n',
  );
  expect(refused('FORCE')).toMatch(/requires both a timeout and target HOST and IP/);
  expect(new TestNode().connect().call('FAILOVER')).toBe(
    '-ERR FAILOVER requires connected replicas.\r\n',
  );
  expect(node.connect().call('PSYNC', 'a'.repeat(40), '1', 'FAILOVER')).toBe(
    "-ERR PSYNC FAILOVER can't be sent to a master.\r\n",
  );
});

test('a replica that took over says so again to the master that did not hear it', () => {
  const node = new TestNode('save ""\nreplicaof 127.0.0.1 7778\n');
  const replid = /master_replid:(\w+)/.exec(info(node.connect()))![1]!;
  const ask = (): string => node.connect().call('PSYNC', replid, '1', 'FAILOVER');
  const [first, again] = [ask(), ask()];
  expect(first).toMatch(/^\+(?:CONTINUE|FULLRESYNC)/);
  expect(again).toMatch(/^\+(?:CONTINUE|FULLRESYNC)/);
  expect(info(node.connect())).toContain('role:master');
});
