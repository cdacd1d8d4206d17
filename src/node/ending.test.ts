/** Goal: a node that ends lets its replicas catch up, and can be held back. Method: a node and a replica made of bytes. */
import { expect, test } from 'vitest';
import { TestNode } from './test-node.ts';
import { acknowledge, nodeWithReplica } from './test-replica.ts';

const ERR_SHUTDOWN = '-ERR Errors trying to SHUTDOWN. Check logs.\r\n';

test('SHUTDOWN waits for the replicas, with writes held, and ends when they are there', () => {
  const { node, client, replica } = nodeWithReplica();
  const other = node.connect();
  expect(client.call('SHUTDOWN')).toBe('');
  expect(other.call('INFO', 'server')).toContain('shutdown_in_milliseconds:10000\r\n');
  expect(other.call('SET', 'k', '2')).toBe('');
  expect(node.endedWith).toBeUndefined();
  const watcher = node.connect();
  expect(watcher.call('GET', 'k')).toBe('$1\r\n1\r\n');
  acknowledge(replica, watcher);
  expect(node.endedWith).toBe(0);
});

test('the turns after the end save nothing again', () => {
  const { node, client, replica } = nodeWithReplica();
  client.call('CONFIG', 'SET', 'save', '3600 1');
  const [other, witness] = [node.connect(), node.connect()];
  client.call('SHUTDOWN');
  acknowledge(replica, other);
  expect(node.endedWith).toBe(0);
  const saves = (): number => node.logs.filter((line) => line === 'DB saved on disk').length;
  expect(saves()).toBe(1);
  witness.disconnect();
  expect(saves()).toBe(1);
});

test('a replica that does not answer is waited for as long as shutdown-timeout says', () => {
  const { node, client } = nodeWithReplica('shutdown-timeout 3');
  client.call('SHUTDOWN');
  node.pass(2900);
  expect(node.endedWith).toBeUndefined();
  node.pass(200);
  expect(node.endedWith).toBe(0);
});

test('SHUTDOWN NOW waits for nobody', () => {
  const { node, client } = nodeWithReplica();
  client.call('SHUTDOWN', 'NOW');
  expect(node.endedWith).toBe(0);
});

test('SHUTDOWN ABORT lets all go on, and those who asked for the end hear of it', () => {
  const { node, client } = nodeWithReplica();
  const [second, other] = [node.connect(), node.connect()];
  client.call('SHUTDOWN');
  second.call('SHUTDOWN');
  expect(other.call('INFO', 'clients')).toContain('blocked_clients:2\r\n');
  const writer = node.connect();
  expect(writer.call('SET', 'k', '3')).toBe('');
  expect(other.call('SHUTDOWN', 'ABORT')).toBe('+OK\r\n');
  expect([client.received, second.received]).toEqual([ERR_SHUTDOWN, ERR_SHUTDOWN]);
  expect(writer.received).toBe('+OK\r\n');
  expect(other.call('SHUTDOWN', 'ABORT')).toBe('-ERR No shutdown in progress.\r\n');
  node.pass(20_000);
  expect(node.endedWith).toBeUndefined();
});

test('SHUTDOWN fails while the first log is being written, and FORCE ends the node even so', () => {
  const { node, client, replica } = nodeWithReplica();
  const other = node.connect();
  other.call('CONFIG', 'SET', 'rdb-key-save-delay', '30000000');
  client.call('SHUTDOWN');
  other.call('CONFIG', 'SET', 'appendonly', 'yes');
  acknowledge(replica, other);
  expect(client.received).toBe(ERR_SHUTDOWN);
  expect(other.call('SHUTDOWN')).toBe(ERR_SHUTDOWN);
  expect(node.endedWith).toBeUndefined();
  other.call('SHUTDOWN', 'FORCE');
  expect(node.endedWith).toBe(0);
});

test('a first log that could not be written does not keep the node from ending', () => {
  const node = new TestNode('save ""');
  const client = node.connect();
  client.call('SET', 'a', '1');
  client.call('CONFIG', 'SET', 'appendonly', 'yes');
  node.files.failure = 'No space left on device';
  node.settle();
  expect(client.call('INFO', 'persistence')).toContain('aof_last_bgrewrite_status:err\r\n');
  node.files.failure = undefined;
  client.call('SHUTDOWN');
  expect(node.endedWith).toBe(0);
});
