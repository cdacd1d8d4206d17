/**
 * Goal: a live copy from and to servers of other versions is whole, or refused before anything is changed. Method: a copy
 * each way beside redis-server 7.0 or our own node, then the full check.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithPeer, required } from './harness/programs.ts';
import { fillWithEverything } from './harness/samples.ts';
import { runSlotline } from './harness/slotline.ts';

const BOUND_MS = 60_000;

/** A pair of servers for the tests of a block, and the address of each. */
function pairOf(sourceExe: () => string, targetExe: () => string) {
  let dir = '';
  const nodes: NodeProcess[] = [];
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-peers-'));
    const ports = await freePorts(2);
    for (const [i, exe] of [sourceExe(), targetExe()].entries()) {
      nodes.push(new NodeProcess({ exe, port: ports[i] ?? 0, dir: join(dir, String(i)) }));
    }
    await Promise.all(nodes.map((node) => node.start()));
  });
  afterAll(async () => {
    for (const node of nodes) await node.kill();
    rmSync(dir, { recursive: true, force: true });
  });
  const addresses = (): string[] => nodes.map(({ port }) => `127.0.0.1:${port}`);
  return {
    source: (): NodeProcess => nodes[0]!,
    target: (): NodeProcess => nodes[1]!,
    copy: (...flags: string[]) =>
      runSlotline(
        ...['migrate', 'run', ...addresses(), '--stop-when-synced', '--dir', join(dir, 'run')],
        ...['--restart', ...flags],
      ),
    plan: () => runSlotline('migrate', 'plan', ...addresses()),
    compare: () => runSlotline('verify', ...addresses(), '--rounds', '2', '--interval', '50'),
  };
}

const real = (): string => required(REAL_SERVER, 'redis-server');

describeWithPeer('redis50/redis-server', (exe) => {
  const pair = pairOf(real, () => exe);

  test(
    'takes all of 7.0 but commands that it does not know, of which the first ends the run',
    async () => {
      await fillWithEverything((...args) => pair.source().call(...args));
      const copied = await pair.copy();
      expect(copied.status).toBe(0);
      const compared = await pair.compare();
      expect(`${compared.stdout}${compared.stderr}`).toContain('equal');
      expect(compared.status).toBe(0);
      await pair.target().call('SET', 'string', 'other');
      expect((await pair.compare()).status).toBe(1);
      await pair.source().call('COPY', 'list', 'another');
      const plan = await pair.plan();
      expect(plan.stdout).toMatch(/has run copy: Redis 5\.0\.\d+ does not know it/);
    },
    BOUND_MS,
  );
});

describeWithPeer('redis28/redis-server', (exe) => {
  const pair = pairOf(
    () => exe,
    () => OUR_SERVER,
  );

  test(
    'is copied with its expiry, and compared',
    async () => {
      const source = pair.source();
      await source.call('SETEX', 'expiring', 1000, 'v');
      await source.call('RPUSH', 'list', 'a', 'b');
      await source.call('ZADD', 'zset', 1.5, 'a');
      await source.call('HMSET', 'hash', 'a', 1, 'b', 2);
      expect((await pair.copy()).status).toBe(0);
      expect((await pair.compare()).status).toBe(0);
      await pair.target().call('PERSIST', 'expiring');
      await pair.target().call('HSET', 'hash', 'a', 2);
      const { status, stdout } = await pair.compare();
      expect(status).toBe(1);
      expect(stdout).toContain('expiring');
      expect(stdout).toContain('hash');
    },
    BOUND_MS,
  );
});

describeWithPeer('valkey9/valkey-server', (exe) => {
  const pair = pairOf(() => exe, real);

  test(
    'is not copied where its fields would lose their expiry, unless that is said',
    async () => {
      const source = pair.source();
      await source.call('HSET', 'hash', 'a', 1, 'b', 2);
      await source.call('HPEXPIRE', 'hash', 100_000, 'FIELDS', 1, 'a');
      const refused = await pair.copy();
      expect(refused.status).toBe(3);
      expect(refused.stderr).toContain(
        '1 hash has fields that expire, which Redis 7.0.15 does not',
      );
      expect(await pair.target().call('DBSIZE')).toBe(0);
      const copied = await pair.copy('--drop-field-expiry');
      expect(copied.status).toBe(0);
      expect(copied.stdout).toContain('1 fields of hashes were to expire');
      expect((await pair.compare()).status).toBe(0);
    },
    BOUND_MS,
  );
});
