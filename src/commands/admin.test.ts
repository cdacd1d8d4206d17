/** Goal: administration answers as redis-server 7.0.15 does. Method: its replies, taken down, against ours. */
import { expect, test } from 'vitest';
import { AdminServer } from './test-admin.ts';

test('PING answers a RESP2 subscriber with an array', () => {
  const server = new AdminServer();
  const client = server.connect();
  expect(server.run(client, 'PING')).toBe('+PONG\r\n');
  expect(server.run(client, 'SUBSCRIBE', 'a')).toBe('*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n');
  expect(server.run(client, 'PING')).toBe('*2\r\n$4\r\npong\r\n$0\r\n\r\n');
});

test('HELLO 3 changes the protocol and tells who we are', () => {
  const server = new AdminServer();
  const client = server.connect();
  expect(server.run(client, 'HELLO', '4')).toBe('-NOPROTO unsupported protocol version\r\n');
  expect(server.run(client, 'HELLO', '3')).toBe(
    '%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n' +
      '$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n',
  );
});

test.each([
  [['HELLO', '3', 'a\0b'], "Syntax error in HELLO option 'a'"],
  [['ACL', 'CAT', 'a\0b'], "Unknown category 'a'"],
  [['CLIENT', 'LIST', 'TYPE', 'a\0b'], "Unknown client type 'a'"],
])('an error shows an argument up to a zero byte: %j', (args, text) => {
  const server = new AdminServer();
  expect(server.run(server.connect(), ...args)).toBe(`-ERR ${text}\r\n`);
});

test('AUTH takes the password that is required and no other', () => {
  const server = new AdminServer();
  const client = server.connect();
  expect(server.run(client, 'AUTH', 'x')).toMatch(/^-ERR AUTH <password> called without/);
  server.acl.setDefaultPassword('secret');
  for (const wrong of ['', 'secre', 'secret1', 'Secret', 'secretsecret']) {
    expect(server.run(client, 'AUTH', wrong)).toMatch(/^-WRONGPASS/);
    expect(client.isAuthenticated).toBe(false);
  }
  expect(server.run(client, 'AUTH', 'other', 'secret')).toMatch(/^-WRONGPASS/);
  expect(server.run(client, 'HELLO', '2')).toMatch(/^-NOAUTH HELLO must be called/);
  expect(server.run(client, 'AUTH', 'default', 'secret')).toBe('+OK\r\n');
  expect(client.isAuthenticated).toBe(true);
});

test('RESET makes a connection as new', () => {
  const server = new AdminServer();
  const client = server.connect();
  server.run(client, 'HELLO', '3', 'SETNAME', 'me');
  server.run(client, 'SELECT', '2');
  server.run(client, 'MULTI');
  server.run(client, 'CLIENT', 'TRACKING', 'ON');
  server.run(client, 'SUBSCRIBE', 'a');
  expect(server.run(client, 'RESET')).toBe('+RESET\r\n');
  expect([client.name, client.dbIndex, client.queue, client.reply.resp]).toEqual([
    '',
    0,
    undefined,
    2,
  ]);
  expect(client.isSubscriber).toBe(false);
  expect(server.tracking.clientCount).toBe(0);
});

test('CLIENT LIST has the fields of 7.0 in order', () => {
  const server = new AdminServer();
  const client = server.connect();
  const names = [...server.run(client, 'CLIENT', 'LIST').matchAll(/([a-z-]+)=/g)].map(
    ([, name]) => name,
  );
  expect(names.join(' ')).toBe(
    'id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem multi-mem ' +
      'rbs rbp obl oll omem tot-mem events cmd user redir resp',
  );
});

test('CLIENT KILL spares the caller unless told otherwise', () => {
  const server = new AdminServer();
  const [one, two] = [server.connect(), server.connect()];
  expect(server.run(one, 'CLIENT', 'KILL', 'TYPE', 'normal')).toBe(':1\r\n');
  expect([one.isClosed, two.isClosed]).toEqual([false, true]);
  expect(server.run(one, 'CLIENT', 'KILL', 'ID', '1', 'SKIPME', 'no')).toBe(':1\r\n');
  expect(one.isClosed).toBe(true);
  expect(server.run(one, 'CLIENT', 'KILL', '1.2.3.4:5')).toBe('-ERR No such client\r\n');
});

test('EXEC says why nothing was done', () => {
  const server = new AdminServer();
  const client = server.connect();
  expect(server.run(client, 'EXEC')).toBe('-ERR EXEC without MULTI\r\n');
  server.run(client, 'MULTI');
  expect(server.run(client, 'MULTI')).toBe('-ERR MULTI calls can not be nested\r\n');
  expect(server.run(client, 'WATCH', 'k')).toBe('-ERR WATCH inside MULTI is not allowed\r\n');
  client.isQueueBroken = true;
  expect(server.run(client, 'EXEC')).toMatch(/^-EXECABORT/);
  client.isQueueBroken = false;
  server.run(client, 'MULTI');
  client.isWatchBroken = true;
  expect(server.run(client, 'EXEC')).toBe('*-1\r\n');
});

test('COMMAND GETKEYSANDFLAGS tells what SET does by its options', () => {
  const server = new AdminServer();
  const client = server.connect();
  const flags = (...args: string[]): string =>
    server.run(client, 'COMMAND', 'GETKEYSANDFLAGS', ...args);
  expect(flags('SET', 'a', 'b')).toBe('*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n');
  expect(flags('SET', 'a', 'b', 'GET')).toContain('+RW\r\n+access\r\n+update\r\n');
  expect(server.run(client, 'COMMAND', 'GETKEYS', 'FOO', 'a')).toBe(
    '-ERR Invalid command specified\r\n',
  );
  expect(server.run(client, 'COMMAND', 'GETKEYS', 'PING', 'a')).toBe(
    '-ERR The command has no key arguments\r\n',
  );
  expect(server.run(client, 'COMMAND', 'GETKEYS', 'SPUBLISH', 'a', 'b')).toBe(
    '-ERR The command has no key arguments\r\n',
  );
});

test('a count of keys that cannot be leaves no keys at all', () => {
  const server = new AdminServer();
  const client = server.connect();
  for (const what of ['GETKEYS', 'GETKEYSANDFLAGS']) {
    for (const count of ['0', '2', '-1', 'x', '1443677133621497600']) {
      expect(server.run(client, 'COMMAND', what, 'ZINTERSTORE', 'to', count, 'a')).toBe(
        '-ERR Invalid arguments specified for command\r\n',
      );
    }
    expect(server.run(client, 'COMMAND', what, 'EVAL', 'return 1', '0')).toBe('*0\r\n');
  }
});

test('COMMAND GETKEYS tells the keys of MIGRATE: one, or those behind KEYS', () => {
  const server = new AdminServer();
  const client = server.connect();
  const keys = (...args: string[]): string =>
    server.run(client, 'COMMAND', 'GETKEYS', 'MIGRATE', 'h', '1', ...args);
  expect(keys('k', '0', '10', 'AUTH', 'keys')).toBe('*1\r\n$1\r\nk\r\n');
  expect(keys('', '0', '10', 'COPY', 'KEYS', 'a', 'b')).toBe('*2\r\n$1\r\na\r\n$1\r\nb\r\n');
  expect(keys('', '0', '10', 'KEYS')).toBe('*1\r\n$0\r\n\r\n');
  expect(keys('k', '0', '10', 'KEYS', 'a')).toBe(
    '-ERR Invalid arguments specified for command\r\n',
  );
});

test('COMMAND tells what SORT does with each of its keys, and nothing of names with too many parts', () => {
  const server = new AdminServer();
  const client = server.connect();
  expect(server.run(client, 'COMMAND', 'GETKEYSANDFLAGS', 'SORT', 'k1', 'STORE', 'k2')).toBe(
    '*2\r\n*2\r\n$2\r\nk1\r\n*2\r\n+RO\r\n+access\r\n*2\r\n$2\r\nk2\r\n*2\r\n+OW\r\n+update\r\n',
  );
  expect(server.run(client, 'COMMAND', 'INFO', 'config|get|key')).toBe('*1\r\n$-1\r\n');
  expect(server.run(client, 'COMMAND', 'DOCS', 'config|get|key')).toBe('*0\r\n');
});

test('COMMAND DOCS knows every command that there is', () => {
  const server = new AdminServer();
  const client = server.connect();
  const missing = [...server.table.all()].filter(
    ({ fullName }) => !server.run(client, 'COMMAND', 'DOCS', fullName).includes('summary'),
  );
  expect(missing.map(({ fullName }) => fullName)).toEqual([]);
});

test('CONFIG SET changes all or nothing, and CONFIG RESETSTAT forgets what was counted', () => {
  const server = new AdminServer();
  const client = server.connect();
  expect(server.run(client, 'CONFIG', 'SET', 'maxclients', '50', 'port')).toBe(
    '-ERR syntax error\r\n',
  );
  expect(server.run(client, 'CONFIG', 'SET', 'maxclients', '50', 'hz', 'x')).toMatch(
    /^-ERR CONFIG SET failed/,
  );
  expect(server.run(client, 'CONFIG', 'GET', 'maxclients')).toContain('10000');
  server.stats.countError('ERR no');
  expect(server.run(client, 'CONFIG', 'RESETSTAT')).toBe('+OK\r\n');
  expect([server.stats.totalErrorReplies, server.stats.errors.size]).toEqual([0, 0]);
});

test('WAIT answers at once when enough replicas are there, and never waits inside a transaction', () => {
  const server = new AdminServer();
  const client = server.connect();
  expect(server.run(client, 'WAIT', '1', '0')).toBe(':1\r\n');
  expect(server.run(client, 'WAIT', '2', '10')).toBe('');
  expect(server.asked).toEqual(['wait 2']);
  client.queue = [];
  expect(server.run(client, 'WAIT', '2', '10')).toBe(':1\r\n');
  server.isReplica = true;
  expect(server.run(client, 'WAIT', '0', '0')).toMatch(/^-ERR WAIT cannot be used with replica/);
});

test('REPLICAOF follows, and NO ONE promotes only a replica', () => {
  const server = new AdminServer();
  const client = server.connect();
  expect(server.run(client, 'REPLICAOF', 'host', 'port')).toBe('-ERR Invalid master port\r\n');
  expect(server.run(client, 'REPLICAOF', 'host', '7000')).toBe('+OK\r\n');
  expect(server.run(client, 'REPLICAOF', 'no', 'one')).toBe('+OK\r\n');
  server.isReplica = true;
  server.run(client, 'SLAVEOF', 'NO', 'ONE');
  expect(server.asked).toEqual(['follow host:7000', 'promote']);
});

test('SHUTDOWN refuses contradictions and answers nothing when it goes', () => {
  const server = new AdminServer();
  const client = server.connect();
  expect(server.run(client, 'SHUTDOWN', 'SAVE', 'NOSAVE')).toBe('-ERR syntax error\r\n');
  expect(server.run(client, 'SHUTDOWN', 'ABORT')).toBe('-ERR No shutdown in progress.\r\n');
  expect(server.run(client, 'SHUTDOWN', 'NOSAVE')).toBe('');
  expect(server.asked).toEqual(['shutdown']);
});

test('DEBUG HTSTATS tells how large the tables are', () => {
  const server = new AdminServer();
  const client = server.connect();
  const run = (...args: string[]): string => server.run(client, 'DEBUG', ...args);
  expect(run('HTSTATS', '0')).toContain('No stats available for empty dictionaries');
  for (let i = 0; i < 600; i++) server.run(client, 'SADD', 'set', `member ${i}`);
  server.run(client, 'SET', 'volatile', 'x', 'EX', '1000');
  server.run(client, 'HSET', 'small', 'f', 'v');
  const [keys = '', expires = ''] = run('HTSTATS', '0').split('[Expires HT]');
  expect(keys).toContain(' number of elements: 3\n');
  expect(expires).toContain(' number of elements: 1\n');
  expect(run('HTSTATS-KEY', 'set')).toMatch(/ table size: [67]\d\d\n number of elements: 600\n/);
  expect(run('HTSTATS-KEY', 'small')).toContain('not represented using an hash table');
  expect(run('HTSTATS-KEY', 'none')).toBe('-ERR no such key\r\n');
  expect(run('HTSTATS', '99')).toBe('-ERR Out of range database\r\n');
});

test('subcommands of few forms are refused with more arguments than any of them has', () => {
  const server = new AdminServer();
  const client = server.connect();
  const lines = [
    'PUBSUB channels a b',
    'PUBSUB ShardChannels a b',
    'SLOWLOG get 1 2',
    'CLIENT unblock 1 ERROR x',
    'ACL genpass 1 2',
  ];
  for (const line of lines) {
    const [container, name] = line.split(' ');
    expect(server.run(client, ...line.split(' '))).toBe(
      `-ERR unknown subcommand or wrong number of arguments for '${name}'. Try ${container} HELP.\r\n`,
    );
  }
});

test('DEBUG DIGEST is the number that redis-server gives for the same data', () => {
  const server = new AdminServer();
  const client = server.connect();
  const digest = (): string => server.run(client, 'DEBUG', 'DIGEST');
  expect(digest()).toBe(`+${'0'.repeat(40)}\r\n`);
  const put = (key: string, value: string, expiry?: number): void => {
    const bytes = Buffer.from(value);
    const db = server.keyspace.db(client.dbIndex);
    db.setString(
      Buffer.from(key),
      0,
      key.length,
      { buf: bytes, at: 0, size: bytes.length },
      expiry,
    );
  };
  put('foo', 'bar', 2_000_000_000_000);
  expect(digest()).toBe('+8b0c6d22108f15467022bc27c005787072eb4c4b\r\n');
  expect(server.run(client, 'DEBUG', 'DIGEST-VALUE', 'foo', 'none')).toBe(
    `*2\r\n+8ec3828f7209dd3abdf6ee448de8b0c0bd53265f\r\n+${'0'.repeat(40)}\r\n`,
  );
});

test('DEBUG ends the process where it is asked to', () => {
  for (const way of ['ASSERT', 'OOM', 'PANIC', 'SEGFAULT']) {
    const server = new AdminServer();
    const client = server.connect();
    expect(() => server.run(client, 'DEBUG', way)).toThrow('the operator asked for a crash');
  }
});
