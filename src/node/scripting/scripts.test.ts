/**
 * Goal: scripts run as one change, with the rights and under the rules that hold for their caller, and a long one stands
 * in nobody's way but changes nothing of that. Method: a whole node over virtual ports; what replies are is compared with
 * redis-server in tests/interop/scripting.test.ts.
 */
import { expect, test } from 'vitest';
import { TestNode } from '../test-node.ts';

const BUSY =
  '-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n';
const FOREVER = 'while true do end';
const SHA_OF_RETURN_1 = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db';

/** A node on which time goes on while scripts run: five milliseconds a look at the clock. */
function slowNode(config = ''): TestNode {
  const node = new TestNode(`busy-reply-threshold 200\n${config}`);
  node.stepUs = 5000;
  return node;
}

/** Runs slices of background work. */
function work(node: TestNode, slices: number): void {
  for (let i = 0; i < slices; i++) node.later.shift()?.();
}

/** Runs slices until no more are asked for; a script that never ends makes it throw. */
function finish(node: TestNode): void {
  for (let i = 0; i < 10_000; i++) {
    if (node.later.length === 0) return;
    work(node, 1);
  }
  throw new Error('the work does not end');
}

/** A loop; a slow node interrupts it every some ten thousand turns. */
function loop(turns: number): string {
  return `for i = 1, ${turns} do end`;
}

test('a script gets its keys and arguments, and its value is the reply', () => {
  const client = new TestNode().connect();
  expect(client.call('EVAL', 'return {KEYS[1], ARGV[1], #KEYS, #ARGV}', '1', 'k', 'a', 'b')).toBe(
    '*4\r\n$1\r\nk\r\n$1\r\na\r\n:1\r\n:2\r\n',
  );
  expect(client.call('EVAL', 'return 1', '2', 'k')).toBe(
    "-ERR Number of keys can't be greater than number of args\r\n",
  );
  expect(client.call('EVAL', 'return 1', '-1')).toBe("-ERR Number of keys can't be negative\r\n");
});

test('a loaded script is found by its digest in any case, until it is flushed', () => {
  const client = new TestNode().connect();
  const missing = '-NOSCRIPT No matching script. Please use EVAL.\r\n';
  expect(client.call('EVALSHA', SHA_OF_RETURN_1, '0')).toBe(missing);
  expect(client.call('SCRIPT', 'LOAD', 'return 1')).toBe(`$40\r\n${SHA_OF_RETURN_1}\r\n`);
  expect(client.call('EVALSHA', SHA_OF_RETURN_1.toUpperCase(), '0')).toBe(':1\r\n');
  expect(client.call('SCRIPT', 'EXISTS', SHA_OF_RETURN_1, 'x')).toBe('*2\r\n:1\r\n:0\r\n');
  expect(client.call('SCRIPT', 'FLUSH', 'ASYNC')).toBe('+OK\r\n');
  expect(client.call('EVALSHA', SHA_OF_RETURN_1, '0')).toBe(missing);
  expect(client.call('EVAL', 'return 1', '0')).toBe(':1\r\n');
  expect(client.call('EVALSHA', SHA_OF_RETURN_1, '0')).toBe(':1\r\n');
});

test('what cannot be a digest is missed before the keys are counted', () => {
  const client = new TestNode().connect();
  expect(client.call('EVALSHA', 'abc', 'x')).toMatch(/^-NOSCRIPT/);
  expect(client.call('EVALSHA_RO', `${SHA_OF_RETURN_1}0`, '9')).toMatch(/^-NOSCRIPT/);
  expect(client.call('EVALSHA', SHA_OF_RETURN_1, 'x')).toMatch(/^-ERR value is not an integer/);
});

test('SELECT in a script does not change the database of its caller', () => {
  const client = new TestNode().connect();
  client.call('SELECT', '2');
  expect(
    client.call(
      'EVAL',
      "redis.call('set','a','2') redis.call('select',5) redis.call('set','a','5')",
      '0',
    ),
  ).toBe('$-1\r\n');
  expect(client.call('GET', 'a')).toBe('$1\r\n2\r\n');
  client.call('SELECT', '5');
  expect(client.call('GET', 'a')).toBe('$1\r\n5\r\n');
});

test('monitors see the call before what its script does', () => {
  const node = new TestNode();
  const monitor = node.connect();
  monitor.call('MONITOR');
  monitor.received = '';
  node.connect().call('EVAL', "return redis.call('set', KEYS[1], 1)", '1', 'k');
  const lines = monitor.received.split('\r\n');
  expect(lines[0]).toMatch(/127\.0\.0\.1:\d+\] "EVAL" /);
  expect(lines[1]).toMatch(/^\+[\d.]+ \[0 lua\] "set" "k" "1"$/);
});

test('EVAL_RO and no-writes refuse writes', () => {
  const client = new TestNode().connect();
  const refusal = /^-ERR Write commands are not allowed from read-only scripts\./;
  expect(client.call('EVAL_RO', "return redis.call('set','a',1)", '0')).toMatch(refusal);
  const text = "#!lua flags=no-writes\nreturn redis.call('set','a',1)";
  expect(client.call('EVAL', text, '0')).toMatch(refusal);
  expect(client.call('EXISTS', 'a')).toBe(':0\r\n');
});

test('a script may do what its caller may', () => {
  const node = new TestNode();
  const client = node.connect();
  client.call('ACL', 'SETUSER', 'bob', 'on', 'nopass', '+@all', '-get', '~a*');
  client.call('AUTH', 'bob', 'x');
  expect(client.call('EVAL', "return redis.call('get','a')", '0')).toMatch(
    /^-ERR The user executing the script can't run this command or subcommand script: /,
  );
  expect(client.call('EVAL', "return redis.call('set','b',1)", '0')).toMatch(
    /^-ERR The user executing the script can't access at least one of the keys/,
  );
  expect(client.call('EVAL', "return redis.call('set','a',1)", '0')).toBe('+OK\r\n');
  expect(client.call('EVAL', "return redis.acl_check_cmd('get','a')", '0')).toBe('$-1\r\n');
  expect(client.call('ACL', 'LOG')).toContain('$3\r\nlua\r\n');
});

test('a full memory refuses the first write only', () => {
  const node = new TestNode('maxmemory 1mb');
  const client = node.connect();
  client.call('SET', 'big', 'x'.repeat(1_100_000));
  const oom = /^-OOM command not allowed when used memory > 'maxmemory'/;
  expect(client.call('EVAL', "return redis.call('set','a',1)", '0')).toMatch(oom);
  expect(client.call('EVAL', "redis.call('del','b') return redis.call('set','a',1)", '0')).toBe(
    '+OK\r\n',
  );
  expect(client.call('EVAL', "#!lua\nreturn redis.call('get','a')", '0')).toMatch(oom);
  expect(client.call('EVAL', "#!lua flags=allow-oom\nreturn redis.call('set','a',2)", '0')).toBe(
    '+OK\r\n',
  );
});

test('a replica takes scripts that do not write', () => {
  const node = new TestNode();
  const client = node.connect();
  client.call('REPLICAOF', '127.0.0.1', '1');
  const text = "return redis.call('set','a',1)";
  expect(client.call('EVAL', text, '0')).toMatch(/^-READONLY You can't write/);
  expect(client.call('EVAL', "return redis.call('get','a')", '0')).toBe('$-1\r\n');
  expect(client.call('EVAL', '#!lua\nreturn 1', '0')).toMatch(/^-READONLY /);
  expect(client.call('EVAL', '#!lua flags=no-writes\nreturn 1', '0')).toBe(':1\r\n');
  client.call('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
  expect(client.call('EVAL', "return redis.call('get','a')", '0')).toMatch(/^-MASTERDOWN /);
  expect(client.call('EVAL', '#!lua flags=no-writes,allow-stale\nreturn 1', '0')).toBe(':1\r\n');
});

test('a pause of writes holds scripts that may write', () => {
  const node = new TestNode();
  const client = node.connect();
  client.call('CLIENT', 'PAUSE', '1000', 'WRITE');
  expect(client.call('EVAL_RO', 'return 1', '0')).toBe(':1\r\n');
  expect(client.call('EVAL', '#!lua flags=no-writes\nreturn 1', '0')).toBe(':1\r\n');
  expect(client.call('EVAL', 'return 1', '0')).toBe('');
  node.pass(1100);
  expect(client.received).toBe(':1\r\n');
});

test('clients wait for a script that takes long, and hear BUSY when it takes longer than allowed', () => {
  const node = slowNode();
  const [client, other] = [node.connect(), node.connect()];
  expect(client.call('EVAL', FOREVER, '0')).toBe('');
  expect(other.call('PING')).toBe('');
  work(node, 30);
  expect(other.received).toBe(BUSY);
  expect(other.call('GET', 'a')).toBe(BUSY);
  expect(other.call('MULTI')).toBe('+OK\r\n');
  expect(other.call('GET', 'a')).toBe(BUSY);
  expect(other.call('EXEC')).toMatch(/^-EXECABORT /);
  expect(other.call('SHUTDOWN')).toBe(BUSY);
  expect(other.call('SCRIPT', 'KILL')).toBe('+OK\r\n');
  finish(node);
  expect(client.received).toMatch(
    /^-ERR Script killed by user with SCRIPT KILL\.\.\. script: [0-9a-f]{40}, on @user_script:1\.\r\n$/,
  );
  expect(other.call('PING')).toBe('+PONG\r\n');
  expect(other.call('SCRIPT', 'KILL')).toBe('-NOTBUSY No scripts in execution right now.\r\n');
});

test('no key goes in the middle of a script, whatever others ask for meanwhile', () => {
  const node = slowNode();
  const [client, other] = [node.connect(), node.connect()];
  for (let i = 0; i < 100; i++) other.call('SET', `key:${i}`, 'x'.repeat(1000));
  other.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
  client.call('EVAL', FOREVER, '0');
  node.node.config.assign('maxmemory', 50_000);
  other.call('PING');
  work(node, 30);
  expect(node.node.keyspace.size).toBe(100);
  other.call('SCRIPT', 'KILL');
  finish(node);
  other.call('PING');
  expect(node.node.keyspace.size).toBeLessThan(100);
});

test('a script that takes long answers in its turn, and so does what came behind it', () => {
  const node = slowNode();
  const client = node.connect();
  const text = `${loop(5_000_000)} return redis.call('incr', 'n')`;
  client.send(
    `*1\r\n$4\r\nPING\r\n*3\r\n$4\r\nEVAL\r\n$${text.length}\r\n${text}\r\n$1\r\n0\r\n*1\r\n$4\r\nPING\r\n`,
  );
  expect(client.received).toBe('+PONG\r\n');
  finish(node);
  expect(client.received).toBe('+PONG\r\n:1\r\n+PONG\r\n');
});

test('no script catches its own end', () => {
  const node = slowNode();
  const client = node.connect();
  client.call('EVAL', `while true do pcall(function() ${FOREVER} end) end`, '0');
  work(node, 30);
  expect(node.connect().call('SCRIPT', 'KILL')).toBe('+OK\r\n');
  finish(node);
  expect(client.received).toMatch(/^-ERR Script killed by user/);
});

test('a script that has written is not killed', () => {
  const node = slowNode();
  const [client, other] = [node.connect(), node.connect()];
  client.call('EVAL', `redis.call('set','a',1) ${loop(10_000_000)} return 'done'`, '0');
  work(node, 30);
  expect(other.call('SCRIPT', 'KILL')).toMatch(/^-UNKILLABLE /);
  expect(other.call('SHUTDOWN', 'NOSAVE')).toBe('');
  expect(node.endedWith).toBe(0);
});

test('a transaction with scripts that take long answers as a whole', () => {
  const node = slowNode();
  const [client, other] = [node.connect(), node.connect()];
  client.call('MULTI');
  client.call('SET', 'a', '1');
  client.call('EVAL', `${loop(5_000_000)} return redis.call('incr', 'a')`, '0');
  client.call('INCR', 'a');
  client.call('EVAL', `${loop(5_000_000)} return redis.call('incr', 'a')`, '0');
  client.call('GET', 'a');
  expect(client.call('EXEC')).toBe('');
  work(node, 30);
  expect(other.call('GET', 'a')).toBe(BUSY);
  finish(node);
  expect(client.received).toBe('*5\r\n+OK\r\n:2\r\n:3\r\n:4\r\n$1\r\n4\r\n');
  expect(other.call('GET', 'a')).toBe('$1\r\n4\r\n');
});

test('a client that leaves does not end its script', () => {
  const node = slowNode();
  const [client, other] = [node.connect(), node.connect()];
  client.call('EVAL', `${loop(5_000_000)} redis.call('set', 'a', 'written')`, '0');
  client.disconnect();
  finish(node);
  expect(other.call('GET', 'a')).toBe('$7\r\nwritten\r\n');
});

test('nothing expires while a script runs, and time stands still for it', () => {
  const node = slowNode();
  const [client, other] = [node.connect(), node.connect()];
  other.call('SET', 'old', '1', 'PX', '30');
  other.call('SET', 'young', '1', 'PX', '300');
  node.nowMs += 100;
  // The first look at a key that has expired before takes it away, in whatever slice.
  client.call(
    'EVAL',
    `${loop(5_000_000)} return {redis.call('incr','old'), redis.call('get','young'), redis.call('pttl','young')}`,
    '0',
  );
  node.pass(400);
  finish(node);
  expect(client.received).toBe('*3\r\n:1\r\n$1\r\n1\r\n:0\r\n');
  expect(other.call('GET', 'young')).toBe('$-1\r\n');
});

test('who waits for a key is served when the script has ended', () => {
  const node = slowNode();
  const [client, waiting] = [node.connect(), node.connect()];
  waiting.call('BLPOP', 'list', '0');
  client.call(
    'EVAL',
    `redis.call('rpush','list','a','b') ${loop(5_000_000)} redis.call('lpop','list')`,
    '0',
  );
  work(node, 30);
  expect(waiting.received).toBe('');
  finish(node);
  expect(waiting.received).toBe('*2\r\n$4\r\nlist\r\n$1\r\nb\r\n');
});

test('errors are counted once, and calls by what they were', () => {
  const node = new TestNode();
  const client = node.connect();
  client.call('SET', 'a', '1');
  client.call('CONFIG', 'RESETSTAT');
  client.call('EVAL', "return redis.call('lpush','a',1)", '0');
  client.call('EVAL', "return redis.pcall('lpush','a',1)", '0');
  client.call('EVAL', "return redis.call('blpop','a',1)", '0');
  client.call('EVAL', "return redis.error_reply('MINE x')", '0');
  expect(client.call('INFO', 'errorstats')).toMatch(
    /errorstat_ERR:count=1\r\nerrorstat_MINE:count=1\r\nerrorstat_WRONGTYPE:count=2\r\n/,
  );
  const stats = client.call('INFO', 'commandstats');
  expect(stats).toMatch(/cmdstat_eval:calls=4,.*,rejected_calls=0,failed_calls=4\r\n/);
  expect(stats).toMatch(/cmdstat_lpush:calls=2,.*,rejected_calls=0,failed_calls=2\r\n/);
  expect(stats).toMatch(/cmdstat_blpop:calls=0,.*,rejected_calls=1,failed_calls=0\r\n/);
});

test('what a script declares is tracked for its caller once it reads anything', () => {
  const node = new TestNode();
  const [client, other] = [node.connect(), node.connect()];
  client.call('HELLO', '3');
  client.call('CLIENT', 'TRACKING', 'ON');
  client.call('EVAL', "return redis.call('set','b',1)", '1', 'a');
  client.received = '';
  other.call('SET', 'a', '1');
  expect(client.received).toBe('');
  client.call('EVAL', "return redis.call('get','b')", '1', 'a');
  client.received = '';
  other.call('SET', 'b', '1');
  expect(client.received).toBe('');
  other.call('SET', 'a', '1');
  expect(client.received).toBe('>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n');
});

test('MIGRATE, which waits, is no command for scripts', () => {
  const client = new TestNode().connect();
  client.call('SET', 'a', '1');
  expect(client.call('EVAL', "return redis.call('migrate','127.0.0.1',1,'a',0,10)", '0')).toMatch(
    /^-ERR MIGRATE is not allowed in transactions script: /,
  );
  expect(client.call('GET', 'a')).toBe('$1\r\n1\r\n');
});
