/**
 * Goal: libraries of functions go where the keys go: with backup and restore, with a migration and its stream, through
 * files, and to a node that is added. Method: a real cluster with libraries on every master, and ours of another size.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { isFollowing } from './harness/migration.ts';
import type { NodeProcess } from './harness/node-process.ts';
import { REAL_SERVER, REDIS_CLI, describeWithRealRedis, required } from './harness/programs.ts';
import type { Reply } from './harness/resp-connection.ts';
import { type RunResult, runSlotline, startSlotline } from './harness/slotline.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 20_000;

const library = (name: string, value: string): string =>
  `#!lua name=${name}\nredis.register_function('${name}_f', function() return '${value}' end)`;

describeWithRealRedis('libraries of functions', () => {
  let real: Cluster;
  let ours: Cluster;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slotline-libraries-'));
    const exe = required(REAL_SERVER, 'redis-server');
    real = await Cluster.start({ masters: 2, replicasPerMaster: 0, exeOf: () => exe });
    ours = await Cluster.start({ masters: 3, replicasPerMaster: 0 });
  });
  afterAll(async () => {
    await Promise.all([real.stop(), ours.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function load(cluster: Cluster, name: string, value: string): Promise<void> {
    for (const node of cluster.nodes) {
      await node.call('FUNCTION', 'LOAD', 'REPLACE', library(name, value));
    }
  }

  async function answers(name: string): Promise<string[]> {
    return Promise.all(ours.nodes.map((node) => node.text('FCALL', `${name}_f`, 0)));
  }

  test('a backup has them, and restore loads them into every master', async () => {
    await load(real, 'kept', 'first');
    await real
      .node(0)
      .call('SET', '{a}key', '1')
      .catch(() => real.node(1).call('SET', '{a}key', '1'));
    const path = join(folder, 'backup');
    expectStatus(0, await runSlotline('cluster', 'backup', at(real), path));
    expectStatus(0, await runSlotline('cluster', 'restore', at(ours), path));
    expect(await answers('kept')).toEqual(['first', 'first', 'first']);
    await load(ours, 'kept', 'own');
    const again = await runSlotline('cluster', 'restore', at(ours), path);
    expectStatus(1, again);
    expect(again.stdout).toContain('keeps its own of the function libraries kept');
    expect(await answers('kept')).toEqual(['own', 'own', 'own']);
    expectStatus(0, await runSlotline('cluster', 'restore', at(ours), path, '--replace'));
    expect(await answers('kept')).toEqual(['first', 'first', 'first']);
  });

  test('a migration brings them, and what happens to them then', async () => {
    for (const node of ours.nodes) await node.call('FUNCTION', 'FLUSH');
    const dir = join(folder, 'run');
    const run = startSlotline('migrate', 'run', at(real), at(ours), '--dir', dir, '--json');
    try {
      await until(() => isFollowing(run), BOUND_MS, 'the migration follows');
      expect(await answers('kept')).toEqual(['first', 'first', 'first']);
      await load(real, 'kept', 'second');
      await load(real, 'short', 'lived');
      for (const node of real.nodes) await node.call('FUNCTION', 'DELETE', 'short');
      await load(real, 'last', 'one');
      await untilLibraries(['kept', 'last']);
      expect(await answers('kept')).toEqual(['second', 'second', 'second']);
    } finally {
      run.child.kill('SIGINT');
    }
    // A command that had been refused would make it 1.
    expectStatus(0, await run.result);
    const verified = await runSlotline('verify', at(real), at(ours), '--rounds', '1');
    expectStatus(0, verified);
    expect(verified.stdout).not.toContain('function library');
    await ours.node(1).call('FUNCTION', 'FLUSH');
    const differs = await runSlotline('verify', at(real), at(ours), '--rounds', '1');
    expectStatus(0, differs);
    expect(differs.stdout).toContain('WARNING function library kept: only on the source');
  });

  async function untilLibraries(names: readonly string[]): Promise<void> {
    await until(
      async () => {
        const lists = await Promise.all(ours.nodes.map((node) => namesOf(node)));
        return lists.every((list) => list.join(',') === names.join(','));
      },
      BOUND_MS,
      `every node has ${names.join(' and ')}`,
    );
  }

  test('a file of the source has each once, and loads into nodes', async () => {
    const path = join(folder, 'all.rdb');
    const dir = join(folder, 'file');
    expectStatus(0, await runSlotline('migrate', 'run', at(real), path, '--dir', dir));
    for (const node of ours.nodes) await node.call('FUNCTION', 'FLUSH');
    const into = ['migrate', 'run', path, at(ours), '--on-conflict', 'replace'];
    expectStatus(0, await runSlotline(...into, '--dir', join(folder, 'into')));
    expect(await answers('kept')).toEqual(['second', 'second', 'second']);
  });

  test('a node that is added by slotline, and one by redis-cli, gets them', async () => {
    const fresh = await ours.add();
    expectStatus(0, await runSlotline('cluster', 'add-node', at(fresh), at(ours)));
    expect(await namesOf(fresh)).toEqual(['kept', 'last']);
    const next = await ours.add();
    const words = ['--cluster', 'add-node', at(next), at(ours)];
    await promisify(execFile)(required(REDIS_CLI, 'redis-cli'), words);
    expect(await namesOf(next)).toEqual(['kept', 'last']);
  });
});

async function namesOf(node: NodeProcess): Promise<string[]> {
  const libraries = (await node.call('FUNCTION', 'LIST')) as readonly Reply[][];
  return libraries.map(([, name]) => String(name)).sort();
}

function at(end: Cluster | NodeProcess): string {
  return `127.0.0.1:${end instanceof Cluster ? end.node(0).port : end.port}`;
}

function expectStatus(status: number, result: RunResult): void {
  expect(result.status === status ? '' : result.stdout + result.stderr).toBe('');
}
