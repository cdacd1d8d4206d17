/**
 * Goal: a cluster moves to other servers by its files: to one of the same shape (scenario S7), and by way of one master to
 * one of another shape (S8). Method: save or rewrite on every source master, copy, start the target on the copies.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { slotOf, tagIn } from './harness/load.ts';
import type { NodeProcess } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { moveSlot } from './harness/slots.ts';
import { until } from './harness/until.ts';

type Range = readonly [first: number, last: number];
/** A file or folder that holds the data of a node. */
type Kind = 'dump.rdb' | 'appendonlydir';

const BOUND_MS = 20_000;
const MASTERS = 3;
const KEYS_A_MASTER = 60;
// An emptied master stays one.
const CONFIG = ['enable-debug-command yes', 'cluster-allow-replica-migration no'];
/** Most slots are with the first, so that few must move. */
const UNEVEN: readonly Range[] = [
  [0, 16_343],
  [16_344, 16_363],
  [16_364, 16_383],
];

describeWithRealRedis('our cluster moves by file to real nodes', () => {
  sameShape(() => [OUR_SERVER, real()]);
  otherShape(() => [OUR_SERVER, real()]);
});

describeWithRealRedis('a real cluster moves by file to our nodes', () => {
  sameShape(() => [real(), OUR_SERVER]);
  otherShape(() => [real(), OUR_SERVER]);
});

function real(): string {
  return required(REAL_SERVER, 'redis-server');
}

function sameShape(exes: () => readonly [source: string, target: string]): void {
  test.each<Kind>(['dump.rdb', 'appendonlydir'])('of the same shape, by its %s', async (kind) => {
    const [sourceExe, targetExe] = exes();
    const config = [...CONFIG, `appendonly ${kind === 'dump.rdb' ? 'no' : 'yes'}`];
    const source = await Cluster.start({
      masters: MASTERS,
      replicasPerMaster: 0,
      exeOf: () => sourceExe,
      config,
    });
    try {
      for (const node of source.nodes) await fill(node, (await source.myself(node)).slots[0]!);
      for (const node of source.nodes) await writeFiles(node, kind);
      const target = await Cluster.start({
        masters: MASTERS,
        replicasPerMaster: 0,
        exeOf: () => targetExe,
        config,
        furnish: (index, dir) => copy(source.node(index), kind, dir),
      });
      try {
        for (let index = 0; index < MASTERS; index++) {
          const [from, to] = [source.node(index), target.node(index)];
          expect(await to.call('DEBUG', 'DIGEST')).toBe(await from.call('DEBUG', 'DIGEST'));
          expect((await target.myself(to)).slots).toEqual((await source.myself(from)).slots);
        }
      } finally {
        await target.stop();
      }
    } finally {
      await source.stop();
    }
  });
}

function otherShape(exes: () => readonly [source: string, target: string]): void {
  test('of five masters in place of three', async () => {
    const [sourceExe, targetExe] = exes();
    const source = await Cluster.start({
      masters: MASTERS,
      replicasPerMaster: 0,
      exeOf: () => sourceExe,
      config: CONFIG,
      ranges: UNEVEN,
    });
    try {
      for (const [index, range] of UNEVEN.entries()) await fill(source.node(index), range);
      const [first] = source.nodes as [NodeProcess];
      for (const [index, range] of UNEVEN.entries()) {
        if (index > 0) await moveRange(source, range, source.node(index), first);
      }
      const digest = await first.text('DEBUG', 'DIGEST');
      await writeFiles(first, 'dump.rdb');
      await spread(targetExe, first, digest);
    } finally {
      await source.stop();
    }
  });
}

/** Starts five masters of which one has all slots and the data, and gives the others their parts. */
async function spread(exe: string, holder: NodeProcess, digest: string): Promise<void> {
  const nothing: Range = [0, -1];
  const target = await Cluster.start({
    masters: 5,
    replicasPerMaster: 0,
    exeOf: () => exe,
    config: CONFIG,
    ranges: [[0, 16_383], nothing, nothing, nothing, nothing],
    furnish: (index, dir) => index === 0 && copy(holder, 'dump.rdb', dir),
  });
  try {
    const [first, ...others] = target.nodes as [NodeProcess, ...NodeProcess[]];
    expect(await first.text('DEBUG', 'DIGEST')).toBe(digest);
    const keys = Number(await first.call('DBSIZE'));
    // Slots that have keys, of each of the ranges that were filled.
    const slots = UNEVEN.flatMap((range) => [0, 1, 2, 3].map((i) => slotOf(tagIn(range, i))));
    for (const [i, slot] of slots.entries()) {
      await moveSlot(target, slot, first, others[i % others.length]!);
    }
    await target.untilAgreed();
    const counts = await Promise.all(
      target.nodes.map(async (node) => Number(await node.call('DBSIZE'))),
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(keys);
    for (const count of counts) expect(count).toBeGreaterThan(0);
  } finally {
    await target.stop();
  }
}

async function moveRange(
  cluster: Cluster,
  [first, last]: Range,
  source: NodeProcess,
  target: NodeProcess,
): Promise<void> {
  for (let slot = first; slot <= last; slot++) await moveSlot(cluster, slot, source, target);
  await cluster.untilAgreed();
}

/** Keys of every type in slots of this range. */
async function fill(node: NodeProcess, range: Range): Promise<void> {
  for (let i = 0; i < KEYS_A_MASTER; i++) {
    const key = `{${tagIn(range, i % 10)}}:${i}`;
    const calls: readonly (readonly (string | number)[])[] = [
      ['SET', key, `value ${i}`, 'EX', 100_000],
      ['RPUSH', key, i, 'b', 'c'],
      ['SADD', key, 1, 2, i],
      ['HSET', key, 'field', i],
      ['ZADD', key, i, 'member'],
      ['XADD', key, `${i + 1}-1`, 'field', 'value'],
    ];
    await node.call(...calls[i % calls.length]!);
  }
}

async function writeFiles(node: NodeProcess, kind: Kind): Promise<void> {
  await node.call(kind === 'dump.rdb' ? 'BGSAVE' : 'BGREWRITEAOF');
  const work = kind === 'dump.rdb' ? 'rdb_bgsave_in_progress' : 'aof_rewrite_in_progress';
  const scheduled = 'aof_rewrite_scheduled';
  await until(
    async () => {
      const facts = await node.facts('INFO', 'persistence');
      return facts.get(work) === '0' && facts.get(scheduled) === '0';
    },
    BOUND_MS,
    `${node.port} has written its ${kind}`,
  );
}

function copy(from: NodeProcess, kind: Kind, dir: string): void {
  cpSync(join(from.dir, kind), join(dir, kind), { recursive: true });
}
