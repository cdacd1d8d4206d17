/**
 * Goal: of a file that ends too early nothing is lost in silence, wherever it ends: an RDB file is refused, a log keeps its
 * whole commands. Method: a small file of each kind, cut at every byte.
 */
import { expect, test } from 'vitest';
import { TestNode } from './test-node.ts';

const CONFIG = 'save ""\nenable-debug-command yes';
/** A node is started for each place at which a file can end. */
const LONG = { timeout: 60_000 };
const MANIFEST = 'appendonlydir/appendonly.aof.manifest';
const INCREMENTAL = 'appendonlydir/appendonly.aof.1.incr.aof';
const ONE_FILE = 'file appendonly.aof.1.incr.aof seq 1 type i\n';

/** At every so many places a third node looks at what is written behind a mended end. */
const GONE_ON_EVERY = 7;

/** Changes, each of which happens whole or not at all. */
const CHANGES: readonly (readonly (readonly string[])[])[] = [
  [['SET', 'string', 'x'.repeat(30)]],
  [['SET', 'volatile', '12345', 'PXAT', '9000000000000']],
  [['RPUSH', 'list', 'a', '1', 'b']],
  [['SADD', 'set', 'm', 'n']],
  [['SADD', 'integers', '1', '70000']],
  [['MULTI'], ['HSET', 'hash', 'f', 'v'], ['INCR', 'counter'], ['EXEC']],
  [['ZADD', 'zset', '1.5', 'm', '2', 'n']],
  [['XADD', 'stream', '1-1', 'f', 'v']],
  [['XGROUP', 'CREATE', 'stream', 'g', '0']],
];

function started(config: string, files: Readonly<Record<string, string>> = {}): TestNode {
  const node = new TestNode(`${CONFIG}\n${config}`, false, files);
  node.settle();
  return node;
}

function change(node: TestNode, calls: readonly (readonly string[])[]): void {
  const client = node.connect();
  for (const call of calls) expect(client.call(...call)).not.toMatch(/^-/);
  node.settle();
}

function digest(node: TestNode): string {
  return node.connect().call('DEBUG', 'DIGEST');
}

test('an RDB file that ends too early starts nothing and stays as it was', LONG, () => {
  const node = started('');
  for (const calls of CHANGES) change(node, calls);
  expect(node.connect().call('SAVE')).toBe('+OK\r\n');
  const whole = node.files.read('dump.rdb')!;
  for (let size = 0; size < whole.length; size++) {
    const torn = whole.slice(0, size);
    const again = started('', { 'dump.rdb': torn });
    expect(again.flaw, `cut to ${size} bytes`).toBeDefined();
    expect(again.files.read('dump.rdb')).toBe(torn);
  }
  const again = started('', { 'dump.rdb': whole });
  expect(again.flaw).toBeUndefined();
  expect(digest(again)).toBe(digest(node));
});

test(
  'a log that ends too early has the changes that are whole, and goes on behind them',
  LONG,
  () => {
    const config = 'appendonly yes\nauto-aof-rewrite-percentage 0';
    const node = started(config, { [MANIFEST]: ONE_FILE, [INCREMENTAL]: '' });
    const states = [{ size: 0, digest: digest(node) }];
    for (const calls of CHANGES) {
      change(node, calls);
      states.push({ size: node.files.read(INCREMENTAL)!.length, digest: digest(node) });
    }
    const whole = node.files.read(INCREMENTAL)!;
    expect(states.at(-1)!.size).toBe(whole.length);
    for (let size = 0; size <= whole.length; size++) {
      const torn = { [MANIFEST]: ONE_FILE, [INCREMENTAL]: whole.slice(0, size) };
      const kept = states.findLast((state) => state.size <= size)!;
      const again = started(config, torn);
      expect(again.flaw, `cut to ${size} bytes`).toBeUndefined();
      expect(digest(again), `cut to ${size} bytes`).toBe(kept.digest);
      if (size % GONE_ON_EVERY !== 0) continue;
      change(again, [['SET', 'late', '1']]);
      const { files } = again;
      const third = started(config, {
        [MANIFEST]: ONE_FILE,
        [INCREMENTAL]: files.read(INCREMENTAL)!,
      });
      expect(digest(third), `cut to ${size} bytes, gone on`).toBe(digest(again));
    }
  },
);
