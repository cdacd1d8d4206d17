/**
 * Goal: data gets to disk and back, and what fails there is told. Method: a whole node over files in memory, whose disk
 * works when the test says so.
 */
import { expect, test } from 'vitest';
import {
  NEWER_FILES_DIGEST,
  REDIS_8_FIELD_EXPIRY,
  REDIS_8_FILE,
  VALKEY_8_FILE,
  VALKEY_9_FILE,
} from '../../tests/golden/rdb/newer-files.ts';
import { TestNode } from './test-node.ts';
import { nodeWithReplica } from './test-replica.ts';

function nodeWithFile(base64: string): TestNode {
  const file = Buffer.from(base64, 'base64').toString('latin1');
  const node = new TestNode('save ""\nenable-debug-command yes', false, { 'dump.rdb': file });
  node.settle();
  return node;
}

const fact = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*)\\r$`, 'm').exec(info)?.[1];

test('a background save is of the moment at which it began', () => {
  const node = new TestNode('save ""');
  const client = node.connect();
  client.call('SET', 'a', 'before');
  expect(client.call('BGSAVE')).toBe('+Background saving started\r\n');
  expect(client.call('BGSAVE')).toBe('-ERR Background save already in progress\r\n');
  client.call('SET', 'a', 'after');
  node.settle();
  const info = client.call('INFO', 'persistence');
  expect(fact(info, 'rdb_bgsave_in_progress')).toBe('0');
  expect(fact(info, 'rdb_changes_since_last_save')).toBe('1');
  expect(node.files.read('dump.rdb')).toContain('before');
  expect(node.files.read('dump.rdb')).not.toContain('after');
});

test('a rewrite of the log that is asked for during a save begins after it', () => {
  const node = new TestNode('appendonly yes');
  node.settle();
  const client = node.connect();
  client.call('SET', 'a', '1');
  client.call('BGSAVE');
  expect(client.call('BGREWRITEAOF')).toBe('+Background append only file rewriting scheduled\r\n');
  expect(fact(client.call('INFO', 'persistence'), 'aof_rewrite_scheduled')).toBe('1');
  node.pass(1000);
  expect(fact(client.call('INFO', 'persistence'), 'aof_rewrites')).toBe('0');
  node.settle();
  node.pass(1000);
  node.settle();
  const info = client.call('INFO', 'persistence');
  expect(fact(info, 'aof_rewrite_scheduled')).toBe('0');
  expect(fact(info, 'aof_rewrites')).toBe('1');
});

test('a save that fails stops writes until one succeeds', () => {
  const node = new TestNode('save 3600 1');
  const client = node.connect();
  client.call('SET', 'a', '1');
  node.files.failure = 'no space left';
  client.call('BGSAVE');
  node.settle();
  expect(fact(client.call('INFO', 'persistence'), 'rdb_last_bgsave_status')).toBe('err');
  expect(client.call('SET', 'a', '2')).toMatch(/^-MISCONF Redis is configured to save RDB/);
  expect(client.call('GET', 'a')).toBe('$1\r\n1\r\n');
  node.files.failure = undefined;
  expect(client.call('SAVE')).toBe('+OK\r\n');
  expect(client.call('SET', 'a', '2')).toBe('+OK\r\n');
});

test('save points save by themselves', () => {
  const node = new TestNode('save 10 2');
  const client = node.connect();
  client.call('MSET', 'a', '1', 'b', '2');
  node.pass(9000);
  node.settle();
  expect(node.files.read('dump.rdb')).toBeUndefined();
  node.pass(3000);
  node.settle();
  expect(node.files.read('dump.rdb')).toContain('REDIS0010');
  expect(fact(client.call('INFO', 'persistence'), 'rdb_saves')).toBe('1');
});

test('FLUSHALL ends the snapshot that is on its way to a replica, which has to come again', () => {
  const { node, client, replica } = nodeWithReplica();
  client.call('MSET', 'a', '1', 'b', '2', 'c', '3');
  client.call('CONFIG', 'SET', 'rdb-key-save-delay', '30000000');
  const late = node.connect();
  late.call('REPLCONF', 'capa', 'eof', 'capa', 'psync2');
  late.call('PSYNC', '?', '-1');
  expect(client.call('INFO', 'persistence')).toContain('rdb_bgsave_in_progress:1');
  client.call('FLUSHALL');
  expect(late.isClosed).toBe(true);
  expect(replica.isClosed).toBe(false);
  expect(client.call('INFO', 'persistence')).toContain('rdb_bgsave_in_progress:0');
});

test('a snapshot for replicas counts as the last background save, whole or not', () => {
  expect(fact(new TestNode('').connect().call('INFO'), 'rdb_last_bgsave_time_sec')).toBe('-1');
  const { node, client } = nodeWithReplica();
  const duration = (): string | undefined =>
    fact(client.call('INFO', 'persistence'), 'rdb_last_bgsave_time_sec');
  expect(duration()).toBe('0');
  client.call('CONFIG', 'SET', 'rdb-key-save-delay', '30000000');
  const late = node.connect();
  late.call('REPLCONF', 'capa', 'eof', 'capa', 'psync2');
  late.call('PSYNC', '?', '-1');
  node.pass(3000);
  client.call('FLUSHALL');
  expect(duration()).toBe('3');
});

test('a file that has a key twice starts nothing', () => {
  // Written by hand: database 0, `a` as 1 and again as 2, and no checksum.
  const file = 'REDIS0010\xfe\0\0\x01a\x011\0\x01a\x012\xff\0\0\0\0\0\0\0\0';
  const node = new TestNode('save ""', false, { 'dump.rdb': file });
  node.settle();
  expect(node.flaw).toMatch(/RDB has duplicated key 'a' in DB 0/);
});

test.each([
  ['Redis 8.0.2', REDIS_8_FILE],
  ['Valkey 8.1.1', VALKEY_8_FILE],
  ['Valkey 9.1.2', VALKEY_9_FILE],
])('the data of a file of %s is what its server had', (_server, file) => {
  const node = nodeWithFile(file);
  const digest = node.connect().call('DEBUG', 'DIGEST');
  expect(digest).toBe(`+${NEWER_FILES_DIGEST}\r\n`);
});

test('a file with a hash whose fields expire starts nothing, and is told by key and place', () => {
  expect(nodeWithFile(REDIS_8_FIELD_EXPIRY).flaw).toMatch(
    /offset 84 -> the key "hx" holds a hash with field expiry \(type 25\), which this server does not have$/,
  );
});

test('as the base of a log it is told likewise', () => {
  const node = new TestNode('appendonly yes', false, {
    'appendonlydir/appendonly.aof.manifest': 'file appendonly.aof.1.base.rdb seq 1 type b\n',
    'appendonlydir/appendonly.aof.1.base.rdb': Buffer.from(REDIS_8_FIELD_EXPIRY, 'base64').toString(
      'latin1',
    ),
  });
  node.settle();
  expect(node.flaw).toMatch(
    /appendonly\.aof\.1\.base\.rdb: the key "hx" holds a hash with field expiry \(type 25\).*, at byte 84$/,
  );
});

test('DEBUG RELOAD gives the same data, with NOFLUSH only beside other keys', () => {
  const node = new TestNode('save ""\nenable-debug-command yes');
  const client = node.connect();
  client.call('RPUSH', 'list', 'a', 'b');
  client.call('ZADD', 'zset', '1', 'm');
  const digest = client.call('DEBUG', 'DIGEST');
  expect(client.call('DEBUG', 'RELOAD')).toBe('+OK\r\n');
  expect(client.call('DEBUG', 'DIGEST')).toBe(digest);
  expect(client.call('DEBUG', 'RELOAD', 'NOFLUSH')).toMatch(/^-ERR Error trying to load/);
  expect(client.call('DEBUG', 'RELOAD', 'NOFLUSH', 'MERGE')).toBe('+OK\r\n');
  expect(client.call('DEBUG', 'DIGEST')).toBe(digest);
  expect(client.call('DEBUG', 'RELOAD', 'SOMEHOW')).toMatch(/^-ERR DEBUG RELOAD only supports/);
});

test('a master that restarts continues the history that its file names, with the keys that expired meanwhile', () => {
  const before = new TestNode('save ""');
  const client = before.connect();
  before.connect().call('SYNC');
  before.settle();
  client.call('SET', 'a', '1', 'PX', '1');
  client.call('SET', 'b', '1');
  const old = client.call('INFO', 'replication');
  expect(client.call('SAVE')).toBe('+OK\r\n');
  const files = { 'dump.rdb': before.files.read('dump.rdb')! };

  const after = new TestNode('save ""', false, files);
  after.pass(1000);
  after.settle();
  const info = after.connect().call('INFO', 'replication');
  expect(fact(info, 'master_replid2')).toBe(fact(old, 'master_replid'));
  expect(fact(info, 'second_repl_offset')).toBe(
    String(Number(fact(old, 'master_repl_offset')) + 1),
  );
  const deletion = '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n';
  expect(fact(info, 'repl_backlog_histlen')).toBe(String(deletion.length));

  const replica = new TestNode('save ""\nreplicaof 127.0.0.1 9', false, files);
  replica.pass(1000);
  replica.settle();
  const position = replica.connect().call('INFO', 'replication');
  expect(fact(position, 'master_replid')).toBe(fact(old, 'master_replid'));
  expect(fact(position, 'master_repl_offset')).toBe(fact(old, 'master_repl_offset'));
  // The stream that it missed may have given "a" more time: only the master can say that it is gone.
  expect(replica.connect().call('DBSIZE')).toBe(':2\r\n');
});

test('a replica of a cluster goes on where its file ends, and keeps what expired until its master says so', () => {
  const master = new TestNode('save ""');
  master.connect().call('SYNC');
  master.settle();
  master.connect().call('SET', 'a', '1', 'PX', '1');
  master.connect().call('SET', 'b', '1');
  expect(master.connect().call('SAVE')).toBe('+OK\r\n');
  const files = {
    'dump.rdb': master.files.read('dump.rdb')!,
    'nodes.conf': `${'1'.repeat(40)} 127.0.0.1:6379@16379 myself,slave ${'2'.repeat(40)} 0 0 1 connected
${'2'.repeat(40)} 127.0.0.1:7000@17000 master - 0 0 1 connected 0-16383
vars currentEpoch 1 lastVoteEpoch 0
`,
  };
  const old = master.connect().call('INFO', 'replication');
  const replica = new TestNode('save ""\ncluster-enabled yes', false, files);
  replica.settle();
  const position = replica.connect().call('INFO', 'replication');
  expect(fact(position, 'role')).toBe('slave');
  expect(fact(position, 'master_port')).toBe('7000');
  // A history of its own would be one that the master has never heard of: all data would be copied.
  expect(fact(position, 'master_replid')).toBe(fact(old, 'master_replid'));
  expect(fact(position, 'master_repl_offset')).toBe(fact(old, 'master_repl_offset'));
  replica.pass(1000);
  replica.settle();
  expect(replica.flaw).toBeUndefined();
  expect(replica.connect().call('DBSIZE')).toBe(':2\r\n');
});
