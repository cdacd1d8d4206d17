/**
 * Goal: Prometheus and whoever starts processes can ask every part: nodes, Sentinels, and the dashboard for all of them.
 * Method: real processes, asked over HTTP; a parser of the text format that is not ours reads the answers.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import parsePrometheusText from 'parse-prometheus-text-format';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXPORTER_NAMES } from '../../src/tools/metrics/test-exporter-names.ts';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SENTINEL, OUR_SERVER, REAL_SERVER } from './harness/programs.ts';
import { startSlotline } from './harness/slotline.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 20_000;

let dir: string;
let ports: number[];
const nodes: NodeProcess[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'slotline-metrics-'));
  ports = await freePorts(8);
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.signal('SIGKILL')));
  rmSync(dir, { recursive: true, force: true });
});

test('a node tells its figures and whether it is ready, whatever its password', async () => {
  const node = await start(OUR_SERVER, 0, [`admin-port ${ports[1]}`]);
  await until(async () => (await get(1, '/healthz')).status === 200, BOUND_MS, 'the admin port');
  expect((await get(1, '/readyz')).status).toBe(200);
  await node.call('CONFIG', 'SET', 'requirepass', 'secret');
  await node.call('SET', 'key', 'value');
  const read = await figures(1, '/metrics');
  expect(read.get('redis_up')).toBe(1);
  expect(read.get('redis_db_keys')).toBe(1);
  expect(read.get('redis_net_output_bytes_total')).toBeGreaterThan(0);
  expect([...read.keys()].filter((name) => !EXPORTER_NAMES.has(name))).toEqual([]);

  await node.call('REPLICAOF', '127.0.0.1', 1);
  const ready = await get(1, '/readyz');
  expect([ready.status, await ready.text()]).toEqual([
    503,
    'not ready: it has no link to its master\n',
  ]);
});

test('a Sentinel tells of its masters', async () => {
  await start(OUR_SENTINEL, 2, [
    `sentinel monitor mymaster 127.0.0.1 ${ports[0]} 1`,
    `admin-port ${ports[3]}`,
  ]);
  await until(async () => (await get(3, '/readyz')).status === 200, BOUND_MS, 'the admin port');
  const read = await figures(3, '/metrics');
  expect(read.get('redis_sentinel_masters')).toBe(1);
  expect(read.has('redis_sentinel_master_ckquorum_status')).toBe(true);
  expect([...read.keys()].filter((name) => !EXPORTER_NAMES.has(name))).toEqual([]);
});

test('the dashboard tells the figures of all nodes, real ones too, by their addresses', async () => {
  await start(REAL_SERVER ?? OUR_SERVER, 4);
  await start(OUR_SERVER, 5, [`replicaof 127.0.0.1 ${ports[4]}`]);
  const running = startSlotline(
    ...['dashboard', `127.0.0.1:${ports[4]}`, '--port', String(ports[6]), '--interval', '100'],
  );
  try {
    await until(async () => (await get(6, '/readyz')).status === 200, BOUND_MS, 'the dashboard');
    const both = await until(
      async () => {
        const families = await parsed(6, '/metrics');
        const up = families.find(({ name }) => name === 'redis_up')?.metrics ?? [];
        return up.length === 2 ? families : undefined;
      },
      BOUND_MS,
      'both nodes are there',
    );
    const addresses = both
      .find(({ name }) => name === 'redis_memory_used_bytes')
      ?.metrics.map(({ labels }) => labels?.['addr']);
    expect(addresses?.toSorted()).toEqual(
      [4, 5].map((index) => `127.0.0.1:${ports[index]}`).toSorted(),
    );
    const strange = both.filter(
      ({ name }) => !EXPORTER_NAMES.has(name) && !name.startsWith('slotline_'),
    );
    expect(strange.map(({ name }) => name)).toEqual([]);
  } finally {
    running.child.kill('SIGTERM');
  }
  expect((await running.result).status).toBe(0);
});

async function start(exe: string, index: number, config: readonly string[] = []) {
  const port = ports[index] ?? 0;
  const node = new NodeProcess({ exe, port, dir: join(dir, String(port)), config });
  nodes.push(node);
  await node.start();
  return node;
}

function get(index: number, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${ports[index]}${path}`);
}

async function parsed(index: number, path: string) {
  return parsePrometheusText(await (await get(index, path)).text());
}

/** The first value of every figure. */
async function figures(index: number, path: string): Promise<ReadonlyMap<string, number>> {
  const families = await parsed(index, path);
  return new Map(families.map(({ name, metrics }) => [name, Number(metrics[0]?.value)]));
}
