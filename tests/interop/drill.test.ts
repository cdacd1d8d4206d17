/**
 * Goal: `slotline drill` breaks what it is asked to, tells what the clients met, and leaves all well and nothing behind.
 * Method: the program on a cluster of both makes, and on a master that Sentinels of both makes watch.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import type { NodeProcess } from './harness/node-process.ts';
import {
  OUR_SENTINEL,
  OUR_SERVER,
  REAL_SENTINEL,
  REAL_SERVER,
  describeWithRealRedis,
  required,
} from './harness/programs.ts';
import { Sentinels } from './harness/sentinels.ts';
import { type RunResult, runSlotline } from './harness/slotline.ts';

interface Report {
  readonly ok: boolean;
  readonly lost: number;
  readonly reordered: number;
  readonly acknowledged: number;
  readonly gapMs: { readonly max: number };
  readonly rounds: readonly {
    readonly oldMaster: string;
    readonly newMaster?: string;
    readonly switchMs?: number;
    readonly shards: readonly { readonly isStruck: boolean; readonly unavailableMs: number }[];
    readonly events: readonly { readonly kind: string; readonly text: string }[];
  }[];
}

describeWithRealRedis('the failover drill', () => {
  test('on a cluster: a hand-over loses nothing, and a kill shows FAIL, votes and the new master', async () => {
    const real = required(REAL_SERVER, 'redis-server');
    const exeOf = (index: number): string => (index % 2 === 0 ? real : OUR_SERVER);
    const cluster = await Cluster.start({ masters: 3, replicasPerMaster: 1, exeOf });
    const folder = mkdtempSync(join(tmpdir(), 'slotline-drill-'));
    try {
      const page = join(folder, 'drill.html');
      const manual = await drill(at(cluster.node(0)), '--rounds', '2', '--html', page);
      expect(manual).toMatchObject({ ok: true, lost: 0, reordered: 0 });
      expect(manual.rounds.map(({ oldMaster }) => oldMaster)).toEqual(
        [0, 1].map((index) => at(cluster.node(index))),
      );
      expect(readFileSync(page, 'utf8')).toContain('Failover drill: manual');

      const asked = ['--rounds', '1', '--kind', 'kill', '--shard', at(cluster.node(2))];
      const killed = await drill(at(cluster.node(0)), ...asked, '--kill-command', 'kill -9 {pid}');
      const [round] = killed.rounds;
      expect(round?.newMaster).toBe(at(cluster.node(5)));
      const kinds = new Set(round?.events.map(({ kind }) => kind));
      for (const kind of [
        'fault',
        'silent',
        'FAIL',
        'election',
        'vote',
        'role',
        'epoch',
        'slots',
      ]) {
        expect(kinds).toContain(kind);
      }
      const struck = round?.shards.find(({ isStruck }) => isStruck);
      expect(struck?.unavailableMs).toBeGreaterThan(500);
      expect(await keysOf(cluster.running)).toBe(0);
    } finally {
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('with Sentinels: what they say stands on the time line, and clients find the new master', async () => {
    const real = required(REAL_SENTINEL, 'redis-sentinel');
    const set = await Sentinels.start({
      node: OUR_SERVER,
      sentinels: [OUR_SENTINEL, real, OUR_SENTINEL],
    });
    try {
      const [sentinel] = set.sentinels;
      const address = at(sentinel ?? set.master);
      const refused = await run(address, '--kind', 'takeover');
      expect(refused.status).toBe(2);
      const report = await drill(address, '--rounds', '1', '--kind', 'coordinated');
      expect(report).toMatchObject({ ok: true, lost: 0 });
      expect(report.rounds[0]?.newMaster).not.toBe(at(set.master));
      const said = new Set(report.rounds[0]?.events.map(({ kind }) => kind));
      for (const kind of [
        '+try-failover',
        '+elected-leader',
        '+promoted-slave',
        '+switch-master',
      ]) {
        expect(said).toContain(kind);
      }
      expect(await keysOf(set.nodes)).toBe(0);
    } finally {
      await set.stop();
    }
  });
});

function run(...args: readonly string[]): Promise<RunResult> {
  return runSlotline('drill', ...args, '--yes', '--json', '--interval', '200');
}

async function drill(...args: readonly string[]): Promise<Report> {
  const { status, stdout, stderr } = await run(...args);
  // A kill, and Sentinel's plain failover, may lose writes: that is what the drill is there to tell.
  expect([0, 1], `${args.join(' ')}\n${stdout}${stderr}`).toContain(status);
  const report = JSON.parse(stdout) as Report;
  expect(report.acknowledged, stdout + stderr).toBeGreaterThan(100);
  expect(report.reordered).toBe(0);
  return report;
}

/** Data, the lock of the cluster apart. */
async function keysOf(nodes: readonly NodeProcess[]): Promise<number> {
  const sizes = await Promise.all(nodes.map((node) => node.call('DBSIZE')));
  return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
}

function at({ port }: NodeProcess): string {
  return `127.0.0.1:${port}`;
}
