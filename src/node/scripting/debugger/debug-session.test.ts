/**
 * Goal: a session stands in nobody's way for ever, ends with whoever leaves, and changes data as any script. Method: a whole node
 * over virtual ports. What is told in a session is compared with the real server in `tests/golden/debugger/`.
 */
import { expect, test } from 'vitest';
import { type TestClient, TestNode } from '../../test-node.ts';

const SCRIPT = "redis.call('incr', 'n')\nredis.call('incr', 'n')\nreturn redis.call('get', 'n')";
const BUSY =
  '-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n';

class Session {
  readonly node: TestNode;
  readonly client: TestClient;

  constructor(script: string, node: TestNode = new TestNode()) {
    this.node = node;
    this.client = node.connect();
    expect(this.client.call('SCRIPT', 'DEBUG', 'SYNC')).toBe('+OK\r\n');
    this.ask('EVAL', script, '0');
  }

  /** Sends something, and lets happen what follows. */
  ask(...args: readonly string[]): string {
    this.client.call(...args);
    this.node.settle();
    return this.client.received;
  }
}

test('other clients wait while a script stands still, hear BUSY after a time, and go on when it has ended', () => {
  const session = new Session(SCRIPT);
  const other = session.node.connect();
  expect(other.call('GET', 'n')).toBe('');
  session.ask('step');
  session.node.pass(6000);
  session.node.settle();
  expect(other.received).toBe(BUSY);
  expect(session.ask('continue')).toBe('*1\r\n+<endsession>\r\n$1\r\n2\r\n');
  expect(session.client.isClosed).toBe(true);
  expect(other.call('GET', 'n')).toBe('$1\r\n2\r\n');
});

test('nothing is done again and again while the client thinks', () => {
  const session = new Session(SCRIPT);
  expect(session.node.later).toEqual([]);
  session.client.received = '';
  session.node.pass(1000);
  session.node.settle();
  expect(session.client.received).toBe('');
});

test('SCRIPT KILL ends a script that stands still and has changed nothing', () => {
  const session = new Session('local a = 1\nreturn a');
  const other = session.node.connect();
  session.node.pass(6000);
  session.node.settle();
  session.client.received = '';
  expect(other.call('SCRIPT', 'KILL')).toBe('+OK\r\n');
  session.node.settle();
  expect(session.client.received).toMatch(/^\*1\r\n\+<endsession>\r\n-ERR Script killed by user/);
  expect(other.call('PING')).toBe('+PONG\r\n');
});

test('a script whose client leaves runs to its end', () => {
  const session = new Session(SCRIPT);
  session.client.disconnect();
  session.node.settle();
  expect(session.node.connect().call('GET', 'n')).toBe('$1\r\n2\r\n');
});

test('a script that never ends is ended after a time when its client leaves, whatever it catches', () => {
  const node = new TestNode('busy-reply-threshold 200\n');
  node.stepUs = 5000;
  const session = new Session('while true do\n pcall(function() while true do end end)\nend', node);
  session.ask('c');
  session.client.disconnect();
  for (let slice = 0; slice < 1000 && node.later.length > 0; slice++) node.later.shift()!();
  expect(node.later).toEqual([]);
  expect(node.connect().call('PING')).toBe('+PONG\r\n');
});

test('a script that takes long stops, and can be looked at', () => {
  const node = new TestNode('busy-reply-threshold 200\n');
  node.stepUs = 5000;
  const session = new Session('local a = 0\nwhile true do\n a = a + 1\nend', node);
  expect(session.ask('c')).toBe(
    '*2\r\n+* Stopped at 3, stop reason = timeout reached, infinite loop?\r\n+-> 3    a = a + 1\r\n',
  );
  expect(session.ask('a')).toMatch(
    /^\*1\r\n\+<endsession>\r\n-ERR script aborted for user request/,
  );
});

test('Lua beside the script that does not end keeps nobody up but its client', () => {
  const node = new TestNode('busy-reply-threshold 200\n');
  const session = new Session('return 1', node);
  node.stepUs = 5000;
  session.client.call('eval', 'while true do end');
  for (let slice = 0; slice < 50; slice++) node.later.shift()!();
  const other = node.connect();
  expect(other.call('GET', 'n')).toBe(BUSY);
  expect(other.call('SCRIPT', 'KILL')).toBe('+OK\r\n');
  node.settle();
  expect(other.call('PING')).toBe('+PONG\r\n');
  expect(session.client.isClosed).toBe(true);
});

test('an error beside the script is told, and the script goes on', () => {
  const session = new Session('return 1');
  expect(session.ask('e', "redis.call('nosuch')")).toBe(
    '*1\r\n+<error> ERR Unknown Redis command called from script\r\n',
  );
  expect(session.ask('c')).toBe('*1\r\n+<endsession>\r\n:1\r\n');
});

test('a client that sends without end while its script runs is closed, and the script goes on', () => {
  const node = new TestNode();
  const session = new Session("for i = 1, 1e6 do end\nredis.call('incr', 'n')", node);
  session.client.call('c');
  session.client.send('x'.repeat(5 * 1024 * 1024));
  expect(session.client.isClosed).toBe(true);
  node.settle();
  expect(node.connect().call('GET', 'n')).toBe('$1\r\n1\r\n');
});

test('what follows EVAL in the same bytes belongs to the session', () => {
  const node = new TestNode();
  const client = node.connect();
  client.call('SCRIPT', 'DEBUG', 'SYNC');
  client.send(
    '*3\r\n$4\r\nEVAL\r\n$8\r\nreturn 7\r\n$1\r\n0\r\n*1\r\n$1\r\nt\r\n*1\r\n$1\r\nc\r\n',
  );
  node.settle();
  expect(client.received).toMatch(/\+In top level:\r\n.*\r\n\*1\r\n\+<endsession>\r\n:7\r\n$/s);
});

test('changes are passed on as those of any script', () => {
  const node = new TestNode('appendonly yes\nenable-debug-command yes\n');
  node.settle();
  const session = new Session(SCRIPT, node);
  session.ask('r', 'set', 'by', 'hand');
  session.ask('c');
  const other = node.connect();
  expect(other.call('DEBUG', 'LOADAOF')).toBe('+OK\r\n');
  expect(other.call('MGET', 'n', 'by')).toBe('*2\r\n$1\r\n2\r\n$4\r\nhand\r\n');
});

test('SCRIPT DEBUG is no part of a pipeline, and EVAL is not debugged in a transaction', () => {
  const client = new TestNode().connect();
  const debug = '*3\r\n$6\r\nSCRIPT\r\n$5\r\nDEBUG\r\n$4\r\nSYNC\r\n';
  expect(client.send(`*1\r\n$4\r\nPING\r\n${debug}`)).toBe(
    '+PONG\r\n-ERR SCRIPT DEBUG must be called outside a pipeline\r\n',
  );
  expect(client.send(debug)).toBe('+OK\r\n');
  client.call('MULTI');
  client.call('EVAL', 'return 1', '0');
  expect(client.call('EXEC')).toBe('*1\r\n-ERR Scripts cannot be debugged in a transaction\r\n');
  expect(client.call('EVALSHA', 'x'.repeat(40), '0')).toBe(
    '-ERR Please use EVAL instead of EVALSHA for debugging\r\n',
  );
  expect(client.call('SCRIPT', 'DEBUG', 'NO')).toBe('+OK\r\n');
  expect(client.call('EVAL', 'return redis.breakpoint()', '0')).toBe('$-1\r\n');
});

test('a session that cannot begin ends at once', () => {
  const node = new TestNode();
  const client = node.connect();
  client.call('SCRIPT', 'DEBUG', 'SYNC');
  expect(client.call('EVAL', 'return return', '0')).toMatch(
    /^\*1\r\n\+<endsession>\r\n-ERR Error compiling script/,
  );
  expect(client.isClosed).toBe(true);
});
