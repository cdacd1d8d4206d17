/**
 * Goal: MIGRATE moves keys, deletes exactly what the target took, and answers as redis-server 7.0.15.
 * Method: the node's part against a scripted target in virtual time.
 */
import { expect, test } from 'vitest';
import { type ClusterTestNode, ClusterWorld } from './test-cluster.ts';

const REQUEST = {
  host: '127.0.0.1',
  port: 9000,
  targetDb: 0,
  timeoutMs: 500,
  isCopy: false,
  isReplacing: false,
  auth: undefined,
} as const;

/** A node with keys `a` and `b`, and a target that answers each batch with the next of `answers`. */
function setUp(answers: string[]): { world: ClusterWorld; node: ClusterTestNode; seen: string[] } {
  const world = new ClusterWorld();
  const node = world.node();
  node.set('a', '1');
  node.set('b', '2');
  const seen: string[] = [];
  world.servers.set(9000, (wire) => ({
    data: (buf, size) => {
      seen.push(buf.toString('latin1', 0, size));
      const answer = answers.shift();
      if (answer === undefined) return;
      if (answer === 'close') wire.destroy();
      else wire.write(Buffer.from(answer), answer.length);
    },
    closed: () => undefined,
  }));
  return { world, node, seen };
}

function keys(...names: string[]): readonly Buffer[] {
  return names.map((name) => Buffer.from(name));
}

test('keys that the target took are deleted here and at the replicas', () => {
  const { world, node, seen } = setUp(['+OK\r\n+OK\r\n']);
  node.migrator.start(node.session, { ...REQUEST, keys: keys('a', 'none', 'b') });
  expect([node.isStalled, node.session.blocked?.kind]).toEqual([true, 'outside']);
  world.settle();
  expect(node.session.take()).toBe('+OK\r\n');
  expect([node.isStalled, node.session.blocked]).toEqual([false, undefined]);
  expect([node.has('a'), node.has('b')]).toEqual([false, false]);
  expect(node.propagated.map((args) => args.map(String))).toEqual([['DEL', 'a', 'b']]);
  expect(seen[0]).toMatch(/^\*4\r\n\$14\r\nRESTORE-ASKING\r\n\$1\r\na\r\n\$1\r\n0\r\n/);
});

test('a key that the target refused stays, and its error is the answer', () => {
  const { world, node } = setUp(['+OK\r\n-BUSYKEY Target key name already exists.\r\n']);
  node.migrator.start(node.session, { ...REQUEST, keys: keys('a', 'b') });
  world.settle();
  expect(node.session.take()).toBe(
    '-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n',
  );
  expect([node.has('a'), node.has('b')]).toEqual([false, true]);
});

test('a refused AUTH moves nothing, whatever is said of the keys', () => {
  const { world, node } = setUp(['-WRONGPASS no\r\n+OK\r\n']);
  const auth = { user: undefined, password: Buffer.from('x') };
  node.migrator.start(node.session, { ...REQUEST, auth, keys: keys('a') });
  world.settle();
  expect(node.session.take()).toBe('-ERR Target instance replied with error: WRONGPASS no\r\n');
  expect(node.has('a')).toBe(true);
});

test('COPY leaves the keys, and no key at all is NOKEY without a connection', () => {
  const { world, node, seen } = setUp(['+OK\r\n']);
  node.migrator.start(node.session, { ...REQUEST, isCopy: true, keys: keys('a') });
  world.settle();
  expect([node.session.take(), node.has('a'), node.propagated]).toEqual(['+OK\r\n', true, []]);
  node.migrator.start(node.session, { ...REQUEST, keys: keys('none') });
  expect([node.session.take(), seen.length]).toEqual(['+NOKEY\r\n', 1]);
});

test('a silent target is given up after the time-out', () => {
  const { world, node } = setUp([]);
  node.migrator.start(node.session, { ...REQUEST, keys: keys('a') });
  world.settle();
  world.now = node.migrator.nextWake()!;
  node.tick();
  expect(node.session.take()).toBe('-IOERR error or timeout reading to target instance\r\n');
  expect([node.has('a'), node.isStalled]).toEqual([true, false]);
});

test('a target that is not there is an error at once', () => {
  const { world, node } = setUp([]);
  node.migrator.start(node.session, { ...REQUEST, port: 9001, keys: keys('a') });
  world.settle();
  expect(node.session.take()).toBe('-IOERR error or timeout writing to target instance\r\n');
});

test('a kept connection that died meanwhile is opened anew', () => {
  const { world, node, seen } = setUp(['+OK\r\n', 'close', '+OK\r\n']);
  node.migrator.start(node.session, { ...REQUEST, keys: keys('a') });
  world.settle();
  node.migrator.start(node.session, { ...REQUEST, keys: keys('b') });
  world.settle();
  expect([node.session.take(), node.has('b'), seen.length]).toEqual(['+OK\r\n+OK\r\n', false, 3]);
});

test('a resting connection is closed after ten seconds', () => {
  const { world, node } = setUp(['+OK\r\n']);
  node.migrator.start(node.session, { ...REQUEST, keys: keys('a') });
  world.settle();
  const at = node.migrator.nextWake();
  expect(at).toBe(world.now + 10_000);
  world.now = at!;
  node.migrator.tick(world.now);
  expect(node.migrator.nextWake()).toBeUndefined();
});
