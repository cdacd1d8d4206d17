/**
 * Goal: slots move between our nodes as a whole under write load, without losing an acknowledged write; a target that
 * dies in the middle leaves them with their source; a real replica of the target takes no harm; the tool moves them so by
 * itself, and goes on after a kill.
 * Method: CLUSTER MIGRATESLOTS and `slotline cluster reshard`, writers that follow MOVED, and `redis-cli --cluster check`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { WriteLoad, tagIn } from './harness/load.ts';
import type { NodeProcess } from './harness/node-process.ts';
import {
  OUR_SERVER,
  REAL_SERVER,
  REDIS_CLI,
  describeWithRealRedis,
  required,
} from './harness/programs.ts';
import { runSlotline, startSlotline } from './harness/slotline.ts';
import { handOver, idOf, lastMove, moveCount, orderHandover } from './harness/slots.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 30_000;
/** More than a source sends ahead of what the target acknowledges. */
const LARGE_SLOT_KEYS = 6000;
const VALUE = 'v'.repeat(1000);
/** The replica of the second master is a real one. */
const REAL_NODE = 4;

describeWithRealRedis('atomic moves of slots', () => {
  let cluster: Cluster;
  let folder: string;
  let load: WriteLoad;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slotline-atomic-'));
    const real = required(REAL_SERVER, 'redis-server');
    const exeOf = (index: number): string => (index === REAL_NODE ? real : OUR_SERVER);
    cluster = await Cluster.start({ masters: 3, replicasPerMaster: 1, exeOf });
    load = new WriteLoad(cluster, { writers: 3 });
    await until(() => load.acknowledgedCount > 500, BOUND_MS, 'the writers are under way');
  });
  afterAll(async () => {
    await load.stop();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('slots that are written to change hands, and every node agrees', async () => {
    const [source, target] = [cluster.node(0), cluster.node(1)];
    const [[first, last] = [0, 0]] = (await cluster.myself(source)).slots;
    const middle = first + Math.floor((last - first) / 2);
    await migrate(source, target, [first, middle]);
    await until(
      async () => (await lastMove(source))['state'] === 'success',
      BOUND_MS,
      'it is done',
    );
    expect(await lastMove(source)).toMatchObject({ operation: 'EXPORT', message: '' });
    expect(await lastMove(target)).toMatchObject({ operation: 'IMPORT', state: 'success' });
    await until(async () => (await keysIn(source, first, middle)) === 0, BOUND_MS, 'copies go');
    await expectWhole();
    const replica = cluster.node(REAL_NODE);
    expect(replica.log()).not.toContain('CRITICAL');
  });

  test('a target killed in the middle leaves the slots with their source', async () => {
    const [source, target] = [cluster.node(0), cluster.node(2)];
    const [range = [0, 0]] = (await cluster.myself(source)).slots;
    const tag = tagIn(range, 0);
    for (let n = 0; n < LARGE_SLOT_KEYS; n += 100) {
      const pairs = Array.from({ length: 100 }, (_, i) => [`{${tag}}:${n + i}`, VALUE]);
      await source.call('MSET', ...pairs.flat());
    }
    target.freeze();
    await migrate(source, target, range);
    await target.kill();
    await until(async () => (await lastMove(source))['state'] === 'failed', BOUND_MS, 'it fails');
    expect((await cluster.myself(source)).slots).toEqual([range]);
    await until(() => cluster.isMaster(cluster.node(5)), BOUND_MS, 'its replica has taken over');
    await target.start();
    await cluster.untilSynced(target);
    await moveAll(source, cluster.node(5), range);
    expect(await cluster.node(5).call('GET', `{${tag}}:${LARGE_SLOT_KEYS - 1}`)).not.toBeNull();
    await expectWhole();
  });

  test('reshard moves slots so between our nodes, and goes on after it was killed', async () => {
    const [from, to] = [cluster.node(1), cluster.node(5)];
    const ends = ['--from', at(from), '--to', at(to), '--slots', '2000'];
    const args = ['reshard', at(from), ...ends];
    const flags = ['--yes', '--journal', folder];
    const killed = startSlotline('cluster', ...args, ...flags, '--throttle', '300');
    const before = await moveCount(from);
    await until(async () => (await moveCount(from)) > before, BOUND_MS, 'a move begins');
    killed.child.kill('SIGKILL');
    await killed.result;
    const resumed = await runSlotline('cluster', ...args, ...flags);
    expect(resumed.stderr).toContain('Going on with an interrupted reshard');
    expect(resumed.status, resumed.stderr).toBe(0);
    expect((await lastMove(from))['state']).toBe('success');
    await expectWhole();
    await load.stop();
    expect(await load.missing()).toEqual([]);
  });

  /** Again and again: on a busy machine the short time-outs of a test end a move before it is through. */
  async function moveAll(
    source: NodeProcess,
    taker: NodeProcess,
    range: readonly [number, number],
  ): Promise<void> {
    await until(() => handOver(cluster, source, { taker, range }), BOUND_MS, 'it is done');
  }

  async function migrate(
    source: NodeProcess,
    target: NodeProcess,
    range: readonly [number, number],
  ): Promise<void> {
    await orderHandover(source, await idOf(cluster, source, target), range);
  }

  async function expectWhole(): Promise<void> {
    await cluster.untilAgreed();
    const program = required(REDIS_CLI, 'redis-cli');
    const checked = execFileSync(program, ['--cluster', 'check', at(cluster.node(0))]).toString();
    expect(checked).toContain('All 16384 slots covered');
    expect(checked).not.toContain('[ERR]');
  }
});

async function keysIn(node: NodeProcess, first: number, last: number): Promise<number> {
  let count = 0;
  for (let slot = first; slot <= last; slot += 1) {
    count += Number(await node.call('CLUSTER', 'COUNTKEYSINSLOT', slot));
    if (count > 0) break;
  }
  return count;
}

function at(node: NodeProcess): string {
  return `127.0.0.1:${node.port}`;
}
