/**
 * Goal: what the append-only log has is there once after a start, no more and no less. Method: a whole node over files in
 * memory.
 */
import { expect, test } from 'vitest';
import { type TestClient, TestNode } from './test-node.ts';

const MANIFEST = 'appendonlydir/appendonly.aof.manifest';
const FIRST = 'appendonlydir/appendonly.aof.1.incr.aof';
const PUSH = '*3\r\n$5\r\nRPUSH\r\n$1\r\nl\r\n$1\r\na\r\n';

function started(onDisk: Readonly<Record<string, string>>): TestNode {
  const node = new TestNode('appendonly yes\nauto-aof-rewrite-percentage 0', false, onDisk);
  node.settle();
  return node;
}

test('a log of incremental files alone gets no base, which would have their data a second time', () => {
  const manifest = 'file appendonly.aof.1.incr.aof seq 1 type i\n';
  const node = started({ [MANIFEST]: manifest, [FIRST]: PUSH });
  expect(node.connect().call('LLEN', 'l')).toBe(':1\r\n');
  expect(node.files.read(MANIFEST)).toBe(manifest);
  node.connect().call('RPUSH', 'l', 'b');
  node.settle();
  const again = started({ [MANIFEST]: manifest, [FIRST]: node.files.read(FIRST) ?? '' });
  expect(again.connect().call('LLEN', 'l')).toBe(':2\r\n');
});

test('a torn end goes, and what is written later is read at the next start', () => {
  const manifest = 'file appendonly.aof.1.incr.aof seq 1 type i\n';
  const node = started({ [MANIFEST]: manifest, [FIRST]: PUSH + PUSH.slice(0, -3) });
  node.connect().call('RPUSH', 'l', 'b');
  node.settle();
  const again = started({ [MANIFEST]: manifest, [FIRST]: node.files.read(FIRST) ?? '' });
  expect(again.connect().call('LRANGE', 'l', '0', '-1')).toBe('*2\r\n$1\r\na\r\n$1\r\nb\r\n');
});

test('a key whose time is over goes on to change until the log is loaded, as it did before', () => {
  const manifest = 'file appendonly.aof.1.incr.aof seq 1 type i\n';
  const expire = '*3\r\n$9\r\nPEXPIREAT\r\n$1\r\nl\r\n$4\r\n1000\r\n';
  const node = started({ [MANIFEST]: manifest, [FIRST]: PUSH + expire + PUSH });
  expect(node.connect().call('LLEN', 'l')).toBe(':0\r\n');
});

test('a torn end is refused where it is not to be cut, with the file as it was', () => {
  const manifest = 'file appendonly.aof.1.incr.aof seq 1 type i\n';
  const torn = `${PUSH}*1\r\n$5\r\nmulti\r\n${PUSH}`;
  const node = new TestNode('appendonly yes\naof-load-truncated no', false, {
    [MANIFEST]: manifest,
    [FIRST]: torn,
  });
  node.settle();
  expect(node.flaw).toContain('Unexpected end of file reading the append only file');
  expect(node.files.read(FIRST)).toBe(torn);
});

test('a new log begins with a base of its own', () => {
  const node = started({});
  expect(node.files.read(MANIFEST)).toBe(
    'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n',
  );
});

test('writes are refused while the log cannot be written, and go on by themselves when it can', () => {
  const node = started({});
  const client = node.connect();
  client.call('SET', 'a', '1');
  node.files.failure = 'No space left on device';
  // The first is found out about when it is answered; Redis does the same.
  client.call('SET', 'a', '2');
  const refused = '-MISCONF Errors writing to the AOF file: No space left on device\r\n';
  expect(client.call('SET', 'a', '3')).toBe(refused);
  client.call('MULTI');
  client.call('GET', 'a');
  expect(client.call('EXEC')).toBe('*1\r\n$1\r\n2\r\n');
  expect(client.call('INFO', 'persistence')).toContain('aof_last_write_status:err\r\n');
  node.files.failure = undefined;
  node.pass(1100);
  expect(client.call('SET', 'a', '4')).toBe('+OK\r\n');
  expect(client.call('INFO', 'persistence')).toContain('aof_last_write_status:ok\r\n');
  expect(node.files.read(FIRST)).toMatch(/a\r\n\$1\r\n1[^]*a\r\n\$1\r\n2[^]*a\r\n\$1\r\n4/);
});

test('while data is loaded, what loading goes by cannot be set', () => {
  const manifest = 'file appendonly.aof.1.incr.aof seq 1 type i\n';
  const onDisk = { [MANIFEST]: manifest, [FIRST]: PUSH };
  const node = new TestNode('appendonly yes', false, onDisk);
  const client = node.connect();
  const loading = '-LOADING Redis is loading the dataset in memory\r\n';
  expect(client.call('LLEN', 'l')).toBe(loading);
  expect(client.call('CONFIG', 'SET', 'AppendOnly', 'no')).toBe(loading);
  expect(client.call('CONFIG', 'SET', 'loglevel', 'debug')).toBe('+OK\r\n');
  node.settle();
  expect(client.call('LLEN', 'l')).toBe(':1\r\n');
  expect(client.call('CONFIG', 'SET', 'appendonly', 'no')).toBe('+OK\r\n');
});

test('DEBUG LOADAOF writes nothing into the log, neither itself nor what it loads', () => {
  const node = new TestNode('appendonly yes\nenable-debug-command yes');
  node.settle();
  const client = node.connect();
  for (const value of ['a', 'b']) {
    for (const words of [['MULTI'], ['RPUSH', 'l', value], ['EXEC']]) client.call(...words);
    expect(client.call('DEBUG', 'LOADAOF')).toBe('+OK\r\n');
  }
  expect(client.call('LRANGE', 'l', '0', '-1')).toBe('*2\r\n$1\r\na\r\n$1\r\nb\r\n');
  expect(node.files.read(FIRST)).not.toContain('LOADAOF');
});

test.each(['always', 'everysec'])(
  'no-appendfsync-on-rewrite leaves the disk to a snapshot, and what came meanwhile is synced after it (%s)',
  (policy) => {
    const afterPowerCut = (isLeft: string, isSaved: boolean): string => {
      const node = started({});
      const client = node.connect();
      client.call('CONFIG', 'SET', 'appendfsync', policy, 'no-appendfsync-on-rewrite', isLeft);
      client.call('BGSAVE');
      client.call('SET', 'key', 'value');
      if (isSaved) node.settle();
      node.pass(3000);
      if (policy === 'everysec') node.settle();
      node.files.losePower(() => 0);
      const files = [MANIFEST, FIRST, FIRST.replace('incr.aof', 'base.rdb')];
      return files.map((name) => node.files.read(name) ?? '').join('');
    };
    const isKept = (isLeft: string, isSaved: boolean): boolean =>
      afterPowerCut(isLeft, isSaved).includes('value');
    expect([isKept('no', false), isKept('yes', true)]).toEqual([true, true]);
    if (policy === 'always') expect(isKept('yes', false)).toBe(false);
  },
);

const ALWAYS = 'appendonly yes\nauto-aof-rewrite-percentage 0\nappendfsync always';

/** A node that sends when told to, some clients of it, and the number of bytes that its log has. */
function gathering(clientCount: number): [TestNode, TestClient[], () => number] {
  const node = new TestNode(ALWAYS, true);
  node.settle();
  const clients = Array.from({ length: clientCount }, () => node.connect());
  return [node, clients, () => (node.files.read(FIRST) ?? '').length];
}

test('one sync is for all that ask while others ask as well, and replies come after it', () => {
  const [node, [first, second, third], logBytes] = gathering(3);
  const before = logBytes();
  first!.call('SET', 'a', '1');
  node.node.send();
  second!.call('SET', 'b', '1');
  node.node.send();
  expect([first!.received, second!.received, logBytes()]).toEqual(['', '', before]);
  node.node.send();
  expect([first!.received, second!.received]).toEqual(['+OK\r\n', '+OK\r\n']);
  node.files.losePower(() => 0);
  expect(node.files.read(FIRST)).toMatch(/SET.*\n.*\na.*SET.*\n.*\nb/s);
  expect(third!.received).toBe('');
});

test('a sync waits for nobody when all have asked, and for the restless three turns', () => {
  const [node, [first, second], logBytes] = gathering(2);
  first!.call('SET', 'a', '1');
  second!.call('SET', 'b', '1');
  node.node.send();
  expect([first!.received, second!.received]).toEqual(['+OK\r\n', '+OK\r\n']);
  const before = logBytes();
  const isWritten: boolean[] = [];
  for (let turn = 0; turn < 4; turn++) {
    first!.call('SET', 'a', String(turn));
    node.node.send();
    isWritten.push(logBytes() > before);
  }
  expect(isWritten).toEqual([false, false, false, true]);
});

test('what is not synced at once does not wait', () => {
  const [node, [first]] = gathering(2);
  first!.call('CONFIG', 'SET', 'appendfsync', 'everysec');
  node.node.send();
  first!.call('SET', 'a', '1');
  node.node.send();
  expect(first!.received).toBe('+OK\r\n');
});
