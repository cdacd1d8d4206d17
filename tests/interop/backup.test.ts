/**
 * Goal: a backup of one cluster goes into another of any size and make, with every value and expiry.
 * Method: values of each type in a real cluster, by way of files into ours, from there into the real one again; each
 * value must come back with the same DUMP (sets and hashes: the same members).
 */
import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { slotOf } from './harness/load.ts';
import type { NodeProcess } from './harness/node-process.ts';
import { REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { type RunResult, runSlotline } from './harness/slotline.ts';

const COPIES = 40;
const EXPIRE_AT_UNIX_MS = 4_000_000_000_000;

describeWithRealRedis('backup and restore', () => {
  let real: Cluster;
  let ours: Cluster;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slotline-backup-'));
    const exe = required(REAL_SERVER, 'redis-server');
    real = await Cluster.start({ masters: 3, replicasPerMaster: 0, exeOf: () => exe });
    ours = await Cluster.start({ masters: 4, replicasPerMaster: 0 });
  });
  afterAll(async () => {
    await Promise.all([real.stop(), ours.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  test('values of every type and their expiry survive the way there and back', async () => {
    const keys = await fill(real);
    const before = await values(real, keys);
    const [there, back] = [join(folder, 'there'), join(folder, 'back')];
    expectStatus(0, await runSlotline('cluster', 'backup', at(real), there));
    expect(readdirSync(there).filter((name) => name.endsWith('.rdb'))).toHaveLength(3);
    expectStatus(0, await runSlotline('cluster', 'restore', at(ours), there));
    expectStatus(0, await runSlotline('cluster', 'backup', at(ours), back));
    for (const node of real.nodes) await node.call('FLUSHALL');
    expectStatus(0, await runSlotline('cluster', 'restore', at(real), back));
    const after = await values(real, keys);
    expect(keys.filter((_, index) => after[index] !== before[index])).toEqual([]);
    expect(await ownerOf(real, 'string:0').call('PEXPIRETIME', 'string:0')).toBe(EXPIRE_AT_UNIX_MS);
  });

  test('one command moves a cluster by its files into one of another shape', async () => {
    for (const node of ours.nodes) await node.call('FLUSHALL');
    const by = join(folder, 'by');
    const itself = await runSlotline('cluster', 'restore', at(real), by, '--from', at(real));
    expectStatus(2, itself);
    expect(itself.stderr).toContain('into itself');
    expectStatus(0, await runSlotline('cluster', 'restore', at(ours), by, '--from', at(real)));
    const sizes = await Promise.all(ours.nodes.map((node) => node.call('DBSIZE')));
    expect(sizes.reduce<number>((sum, size) => sum + Number(size), 0)).toBe(6 * COPIES);
    expectStatus(0, await runSlotline('verify', at(real), at(ours), '--rounds', '1'));
  });

  test('keys that are there stay unless told, and damaged files are refused', async () => {
    const from = join(folder, 'there');
    const again = await runSlotline('cluster', 'restore', at(ours), from, '--json');
    expect(again.status).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({
      ok: false,
      restored: 0,
      existing: 6 * COPIES,
    });
    expectStatus(0, await runSlotline('cluster', 'restore', at(ours), from, '--replace'));
    expectStatus(2, await runSlotline('cluster', 'backup', at(ours), from));
    expectStatus(2, await runSlotline('cluster', 'restore', at(ours), folder));
    const [file = ''] = readdirSync(from).filter((name) => name.endsWith('.rdb'));
    truncateSync(join(from, file), 300);
    const cut = await runSlotline('cluster', 'restore', at(ours), from, '--replace');
    expect(cut.stderr).toContain('ends in the middle');
    expect(cut.status).toBe(1);
  });
});

async function fill(cluster: Cluster): Promise<string[]> {
  const keys: string[] = [];
  const add = async (key: string, ...command: readonly (string | number)[]): Promise<void> => {
    const [verb = '', ...args] = command;
    await ownerOf(cluster, key).call(verb, key, ...args);
    keys.push(key);
  };
  for (let n = 0; n < COPIES; n++) {
    await add(`string:${n}`, 'SET', 'x'.repeat(n * 50), 'PXAT', EXPIRE_AT_UNIX_MS);
    const many = Array.from({ length: n * 20 + 1 }, (_, index) => `${n} ${index}`);
    await add(`list:${n}`, 'RPUSH', ...many);
    await add(`set:${n}`, 'SADD', ...(n % 2 === 0 ? [1, 2, n] : ['a', 'b', n]));
    await add(`hash:${n}`, 'HSET', 'field', 'y'.repeat(n * 10), 'other', n);
    await add(`zset:${n}`, 'ZADD', n, 'one', n + 0.5, 'two');
    await add(`stream:${n}`, 'XADD', `${n + 1}-1`, 'field', 'value');
  }
  return keys;
}

/** The members of sets and hashes in any order, of everything else the DUMP. */
function values(cluster: Cluster, keys: readonly string[]): Promise<string[]> {
  return Promise.all(
    keys.map(async (key) => {
      const owner = ownerOf(cluster, key);
      const reader = { set: 'SMEMBERS', hash: 'HGETALL' }[key.split(':')[0] ?? ''];
      if (reader === undefined) return owner.text('DUMP', key);
      return (await owner.text(reader, key)).split(',').sort().join(' ');
    }),
  );
}

/** The harness shares the slots out evenly. */
function ownerOf(cluster: Cluster, key: string): NodeProcess {
  return cluster.node(Math.floor(((slotOf(key) + 1) * cluster.nodes.length - 1) / 16_384));
}

function at(cluster: Cluster): string {
  return `127.0.0.1:${cluster.node(0).port}`;
}

function expectStatus(status: number, run: RunResult): void {
  expect(run.status, `${run.stdout}${run.stderr}`).toBe(status);
}
