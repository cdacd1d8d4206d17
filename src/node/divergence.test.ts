/** Errors in a stream that should have none: what the log says of them, and what they end. */
import { expect, test } from 'vitest';
import { encodeRequest } from '../resp/index.ts';
import type { Client } from './client.ts';
import { RdbWriter } from '../rdb/index.ts';
import { type FarEnd, TestNode } from './test-node.ts';

/** A node whose master says what the test has it say. */
class Follower extends TestNode {
  readonly #master: Client;
  #from: number;

  constructor(config = '') {
    super(`save ""\n${config}`);
    this.#master = this.node.createMasterClient(undefined);
    this.#from = this.logs.length;
  }

  hear(...words: readonly string[]): void {
    const bytes = encodeRequest(words);
    this.node.beginTurn();
    this.node.runFromMaster(this.#master, bytes, 0, bytes.length);
    this.node.endTurn();
  }

  /** What the log has since the last call. */
  said(): string[] {
    const from = this.#from;
    this.#from = this.logs.length;
    return this.logs.slice(from);
  }

  stat(name: string): string | undefined {
    const info = this.connect().call('INFO', 'stats');
    return new RegExp(`${name}:(\\d+)`).exec(info)?.[1];
  }
}

function sentence(error: string, name: string): string {
  return `== CRITICAL == This replica is sending an error to its master: '${error}' after processing the command '${name}'`;
}

test('a command of the master that fails is told with what came before it, and counted', () => {
  const node = new Follower();
  node.node.replication.history.createBacklog();
  node.hear('SET', 'k', 'text');
  expect(node.said()).toEqual([]);
  node.hear('INCR', 'k');
  const backlog = `Latest backlog is: '"*2\\r\\n$6\\r\\nSELECT\\r\\n$1\\r\\n0\\r\\n*3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nk\\r\\n$4\\r\\ntext\\r\\n"'`;
  expect(node.said()).toEqual([
    sentence('value is not an integer or out of range', 'incr'),
    backlog,
  ]);
  node.hear('LPUSH', 'k', '1');
  expect(node.said()[0]).toBe(
    sentence('-WRONGTYPE Operation against a key holding the wrong kind of value', 'lpush'),
  );
  node.hear('NOPE', 'a');
  expect(node.said()[0]).toBe(
    sentence("unknown command 'NOPE', with args beginning with: 'a' ", '<unknown>'),
  );
  node.hear('SET', 'k');
  expect(node.said()[0]).toBe(sentence("wrong number of arguments for 'set' command", 'set'));
  expect(node.stat('unexpected_error_replies')).toBe('4');
  expect(node.stat('total_error_replies')).toBe('4');
  expect(node.endedWith).toBeUndefined();
});

test('a transaction of the master tells its errors once, and one with an unknown command does nothing', () => {
  const node = new Follower();
  node.hear('SET', 'k', 'text');
  for (const words of [['MULTI'], ['INCR', 'k'], ['INCR', 'k'], ['SET', 'a', '1'], ['EXEC']]) {
    node.hear(...words);
  }
  expect(node.said()).toEqual([sentence('value is not an integer or out of range', 'exec')]);
  expect(node.connect().call('GET', 'a')).toBe('$1\r\n1\r\n');
  for (const words of [['MULTI'], ['SET', 'a', '2'], ['NOPE'], ['EXEC']]) node.hear(...words);
  expect(node.said()).toEqual([
    sentence("unknown command 'NOPE', with args beginning with: ", '<unknown>'),
    sentence('-EXECABORT Transaction discarded because of previous errors.', 'exec'),
  ]);
  expect(node.connect().call('GET', 'a')).toBe('$1\r\n1\r\n');
  expect(node.stat('unexpected_error_replies')).toBe('4');
});

test.each([
  ['ignore', 'yes', undefined],
  ['panic', 'yes', 1],
  ['panic-on-replicas', 'yes', 1],
  ['panic', 'no', undefined],
])(
  'with propagation-error-behavior %s, replica-read-only %s the end is %s',
  (behavior, isReadOnly, code) => {
    const node = new Follower(
      `propagation-error-behavior ${behavior}\nreplica-read-only ${isReadOnly}`,
    );
    node.hear('SET', 'k', 'text');
    node.hear('INCR', 'k');
    expect(node.endedWith).toBe(code);
    const last =
      "This replica panicked sending an error to its master after processing the command 'incr'";
    expect(node.logs.includes(last)).toBe(code !== undefined);
  },
);

test('a replica that cannot save goes on, and says so at most every ten seconds', () => {
  const node = new Follower('save 1 1');
  const text = 'Replica is applying a command even though it is unable to write to disk.';
  const told = (): number => node.said().filter((line) => line === text).length;
  node.hear('SET', 'k', '1');
  expect(told()).toBe(0);
  node.files.failure = 'No space left on device';
  node.pass(2000);
  node.settle();
  expect(node.said().join()).toContain('Background saving error');
  node.hear('GET', 'k');
  expect(told()).toBe(0);
  node.hear('SET', 'k', '2');
  node.hear('SET', 'k', '3');
  expect(told()).toBe(1);
  node.pass(11_000);
  node.hear('SET', 'k', '4');
  expect(told()).toBe(1);
  expect(node.connect().call('GET', 'k')).toBe('$1\r\n4\r\n');
});

test('a command of the log that fails is told while it is loaded, and ends the node only where all errors do', () => {
  const command = (...words: string[]): string => encodeRequest(words).toString('latin1');
  const files = {
    'appendonlydir/appendonly.aof.manifest': 'file appendonly.aof.1.incr.aof seq 1 type i\n',
    'appendonlydir/appendonly.aof.1.incr.aof':
      command('SELECT', '0') + command('SET', 'k', 'text') + command('INCR', 'k'),
  };
  const text =
    "== CRITICAL == This server is sending an error to its AOF-loading-client: 'value is not an integer or out of range' after processing the command 'incr'";
  for (const [behavior, code] of [
    ['panic-on-replicas', undefined],
    ['panic', 1],
  ] as const) {
    const config = `appendonly yes\npropagation-error-behavior ${behavior}`;
    const node = new TestNode(config, false, files);
    node.settle();
    expect(node.logs).toContain(text);
    expect(node.endedWith).toBe(code);
  }
});

const MASTER_ID = 'ab'.repeat(20);

/** The node follows a master, whose end this is: all is said up to the offset 0 of an empty history. */
function masterOf(node: TestNode): FarEnd {
  expect(node.connect().call('REPLICAOF', '127.0.0.1', '7000')).toBe('+OK\r\n');
  const master = node.opened.at(-1)!;
  master.open();
  const writer = new RdbWriter();
  writer.header({ ctimeUnixSeconds: 0, usedMemoryBytes: 0 });
  writer.end();
  const rdb = writer.take().toString('latin1');
  master.say('+PONG\r\n');
  master.say('+OK\r\n+OK\r\n');
  master.say(`+FULLRESYNC ${MASTER_ID} 0\r\n$${rdb.length}\r\n${rdb}`);
  node.settle();
  return master;
}

const stream = (...words: readonly string[]): string => encodeRequest(words).toString('latin1');

test.each([
  ['a command', stream('HPEXPIREAT', 'h', '1795825191072', 'FIELDS', '1', 'a'), '<unknown>'],
  [
    'one in a transaction',
    stream('MULTI') + stream('SET', 'k', '2') + stream('MSETEX', '1', 'k', '3') + stream('EXEC'),
    '<unknown>',
  ],
  ['a subcommand', stream('CLUSTER', 'NOSUCH', 'x'), '<unknown>'],
  ['a form of a command', stream('SET', 'k', '2', 'IFEQ', '1'), 'set'],
  ['a number of arguments', stream('PERSIST', 'k', 'more'), 'persist'],
  [
    'the language of a function',
    stream('FUNCTION', 'LOAD', '#!lua name=z\nserver.x()'),
    'function',
  ],
  ['a script of before its restart', stream('EVALSHA', 'ab'.repeat(20), '1', 'k'), 'evalsha'],
])('%s that only the master knows stops the link before it', (_what, bytes, name) => {
  const node = new TestNode('save ""');
  const master = masterOf(node);
  const known = stream('SET', 'k', '1');
  master.say(known);
  const { length } = node.logs;
  master.say(`${bytes}${stream('SET', 'k', 'later')}`);
  expect(master.isClosed).toBe(true);
  const said = node.logs.slice(length);
  expect(said[0]).toContain(`after processing the command '${name}`);
  const place = known.length + 1;
  expect(said.slice(-2)).toEqual([
    `MASTER <-> REPLICA sync: stopped before offset ${place}: the data stays as it was`,
    'MASTER <-> REPLICA sync: the master has what this server does not know, asking for a full copy in 10 seconds',
  ]);
  const info = node.connect().call('INFO', 'replication');
  expect(info).toContain('master_link_status:down');
  expect(info).toContain(`slave_repl_offset:${known.length}\r\n`);
  expect(node.connect().call('GET', 'k')).toBe('$1\r\n1\r\n');
  const { length: tries } = node.opened;
  node.pass(9900);
  expect(node.opened.length).toBe(tries);
  node.pass(1100);
  const again = node.opened.at(-1)!;
  again.open();
  again.say('+PONG\r\n');
  again.say('+OK\r\n+OK\r\n');
  expect(again.sent).toContain(stream('PSYNC', '?', '-1'));
});

test('a command of the master that is understood and fails does not stop the link', () => {
  const node = new TestNode('save ""');
  const master = masterOf(node);
  master.say(stream('SET', 'k', 'text') + stream('INCR', 'k'));
  master.say(stream('EVAL', "return redis.error_reply('ERR syntax error')", '0'));
  master.say(stream('MULTI') + stream('SET', 'k', '2', 'NOSUCH') + stream('EXEC'));
  master.say(stream('SET', 'k', 'later'));
  expect(node.logs.filter((line) => line.startsWith('== CRITICAL'))).toHaveLength(3);
  expect(master.isClosed).toBe(false);
  expect(node.connect().call('GET', 'k')).toBe('$5\r\nlater\r\n');
});

test('a replica that takes writes of its own goes on', () => {
  const node = new TestNode('save ""\nreplica-read-only no');
  const master = masterOf(node);
  master.say(stream('NOPE') + stream('SET', 'k', 'later'));
  expect(node.connect().call('GET', 'k')).toBe('$5\r\nlater\r\n');
});
