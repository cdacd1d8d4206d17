/**
 * Goal: the cluster tools do what they say on real nodes, in text and in JSON, with the exit statuses of the manual.
 * Method: the program as it is installed, against real redis-servers; the tests build on each other in order.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from '../interop/harness/node-process.ts';
import { REAL_SERVER, describeWithRealRedis, required } from '../interop/harness/programs.ts';
import { type RunResult, runSlotline } from '../interop/harness/slotline.ts';
import { until } from '../interop/harness/until.ts';

const NODE_COUNT = 8;
const FAILOVER_BOUND_MS = 20_000;
const CONFIG = ['cluster-enabled yes', 'cluster-node-timeout 1000', 'repl-diskless-sync-delay 0'];

interface Json {
  readonly ok: boolean;
  readonly nodes: readonly { id: string; address: string; role: string; keys?: number }[];
  readonly findings: readonly { severity: string; code: string }[];
  readonly error: { readonly code: string; readonly message: string };
  readonly newMaster: { readonly address: string };
  readonly durationMs: number;
  readonly copiedMs: number;
  readonly keys: number;
}

let dir: string;
let nodes: NodeProcess[];

describeWithRealRedis('cluster tools on real redis-servers', () => {
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-tools-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const ports = await freePorts(NODE_COUNT);
    nodes = ports.map(
      (port) => new NodeProcess({ exe, port, dir: join(dir, String(port)), config: CONFIG }),
    );
    await Promise.all(nodes.map((node) => node.start()));
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.signal('SIGKILL')));
    rmSync(dir, { recursive: true, force: true });
  });

  test('create refuses wrong counts with status 2 and nodes in the wrong state with status 3', async () => {
    const few = await runSlotline('cluster', 'create', at(0), at(1), '--yes');
    expect(few.status).toBe(2);
    expect(few.stderr.trim().split('\n')).toHaveLength(1);
    expect(
      (await runSlotline('cluster', 'create', ...first(7), '--replicas', '1', '--yes')).status,
    ).toBe(2);

    await node(5).call('FLUSHALL');
    await node(5).call('CLUSTER', 'ADDSLOTS', 1);
    const owning = await runSlotline(
      'cluster',
      'create',
      ...first(6),
      '--replicas',
      '1',
      '--yes',
      '--json',
    );
    expect(owning.status).toBe(3);
    expect(json(owning).error.code).toBe('NODES_REFUSED');
    expect(json(owning).error.message).toContain(`${at(5)} already owns 1 slots`);
    await node(5).call('CLUSTER', 'RESET');

    const missing = await runSlotline(
      'cluster',
      'create',
      ...first(5),
      '127.0.0.1:1',
      '--replicas',
      '1',
      '--yes',
    );
    expect(missing.status).toBe(3);
    expect(missing.stderr).toContain('127.0.0.1:1: connection refused');
  });

  test('create shows its plan and changes nothing with --dry-run, and asks nobody without a terminal', async () => {
    const dry = await runSlotline('cluster', 'create', ...first(6), '--replicas', '1', '--dry-run');
    expect(dry.status).toBe(0);
    expect(dry.stdout).toMatch(/^master +127\.0\.0\.1:\d+ +[0-9a-f]{8} +0-5460/m);
    expect(await node(0).text('CLUSTER', 'INFO')).toContain('cluster_known_nodes:1');
    expect((await runSlotline('cluster', 'create', ...first(6), '--replicas', '1')).status).toBe(2);
  });

  test("create makes three masters and three replicas, with redis-cli's flags", async () => {
    const flags = ['--cluster-replicas', '1', '--cluster-yes', '--json'];
    const made = await runSlotline('cluster', 'create', ...first(6), ...flags);
    expect(made.status).toBe(0);
    expect(
      json(made)
        .nodes.map(({ role }) => role)
        .sort(),
    ).toEqual([...['master', 'master', 'master'], ...['replica', 'replica', 'replica']]);
    for (const each of nodes.slice(0, 6)) {
      expect(await each.text('CLUSTER', 'INFO')).toContain('cluster_state:ok');
    }
    const again = await runSlotline('cluster', 'create', ...first(6), '--replicas', '1', '--yes');
    expect(again.status).toBe(3);
    expect(again.stderr).toContain('already knows 5 other nodes');
  });

  test('check and info agree with the nodes', async () => {
    await node(0).call('SET', '{06S}key', 'value');
    const check = await runSlotline('cluster', 'check', at(3));
    expect(check.status).toBe(0);
    expect(check.stdout).toContain('OK all 16384 slots');
    const info = json(await runSlotline('cluster', 'info', at(1), '--json'));
    expect(info.keys).toBe(1);
    expect(info.nodes).toHaveLength(6);
  });

  test('add-node adds a replica of a given master and a master without slots', async () => {
    const replica = await runSlotline(
      'cluster',
      'add-node',
      at(6),
      at(1),
      '--replica-of',
      at(0),
      '--json',
    );
    expect(replica).toMatchObject({ status: 0 });
    expect(await node(6).text('ROLE')).toContain(`slave,127.0.0.1,${node(0).port},connected`);
    const flags = ['--cluster-slave', '--cluster-master-id', 'f'.repeat(40)];
    expect((await runSlotline('cluster', 'add-node', at(7), at(1), ...flags)).status).toBe(2);
    expect((await runSlotline('cluster', 'add-node', at(7), at(1))).status).toBe(0);
    expect((await runSlotline('cluster', 'check', at(7))).status).toBe(0);
    expect((await runSlotline('cluster', 'add-node', at(7), at(1))).status).toBe(3);
  });

  test('failover makes the replica master and says how long it took', async () => {
    const moved = await runSlotline('cluster', 'failover', at(6), '--json');
    expect(moved.status).toBe(0);
    expect(json(moved).newMaster.address).toBe(at(6));
    expect(json(moved).durationMs).toBeLessThan(5000);
    // At the end the old master copies the new one, so that there is somebody to take over again.
    expect(json(moved).copiedMs).toBeGreaterThan(0);
    expect(await node(6).text('CLUSTER', 'NODES')).toMatch(
      new RegExp(`:${node(0).port}@\\d+ slave ${await node(6).text('CLUSTER', 'MYID')}`),
    );
    expect(await node(6).text('ROLE')).toContain('master');
    expect((await runSlotline('cluster', 'failover', at(7))).status).toBe(3);
    const both = await runSlotline('cluster', 'failover', at(0), '--force', '--takeover');
    expect(both.status).toBe(2);
    expect(both.stderr.trim().split('\n')).toHaveLength(1);
  });

  test('del-node refuses a node with slots and removes one without', async () => {
    const full = await runSlotline('cluster', 'del-node', at(1), at(6));
    expect(full.status).toBe(3);
    expect(full.stderr).toContain('slots: move them');
    expect((await runSlotline('cluster', 'del-node', at(1), at(0))).status).toBe(0);
    const id = await node(7).text('CLUSTER', 'MYID');
    expect((await runSlotline('cluster', 'del-node', at(1), id)).status).toBe(0);
    expect(await node(7).text('CLUSTER', 'INFO')).toContain('cluster_known_nodes:1');
    const left = json(await runSlotline('cluster', 'check', at(1), '--json'));
    expect(left.ok).toBe(true);
    expect(left.nodes).toHaveLength(6);
  });

  test('check ends with status 1 while a master is gone, and with 3 when it is the one to ask', async () => {
    await node(6).kill();
    const check = await runSlotline('cluster', 'check', at(1), '--json');
    expect(check.status).toBe(1);
    expect(json(check).findings.map(({ code }) => code)).toContain('unreachable');
    await until(
      async () => (await node(1).text('CLUSTER', 'INFO')).includes('cluster_state:ok'),
      FAILOVER_BOUND_MS,
      'a replica took over',
    );
    expect((await runSlotline('cluster', 'check', at(6))).status).toBe(3);
  });
});

function node(index: number): NodeProcess {
  const found = nodes[index];
  if (found === undefined) throw new Error(`Cannot find node ${index}: not started`);
  return found;
}

function at(index: number): string {
  return `127.0.0.1:${node(index).port}`;
}

function first(count: number): string[] {
  return Array.from({ length: count }, (_, index) => at(index));
}

function json(run: RunResult): Json {
  return JSON.parse(run.stdout) as Json;
}
