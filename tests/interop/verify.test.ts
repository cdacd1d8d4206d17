/**
 * Goal: `slotline verify` finds every difference and nothing else, and mends it. Method: two servers are given the same
 * data of every type, small and large, in different encodings; then one difference of every kind is put in, and the list
 * of what was found is compared with what was put in. One side is a cluster.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { sendTo } from './harness/send-to.ts';
import { runSlotline, startSlotline } from './harness/slotline.ts';
import { type Send, fillWithEverything } from './harness/samples.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 30_000;
const FAST = ['--rounds', '2', '--interval', '50'];

interface Finding {
  readonly event: string;
  readonly key?: string;
  readonly kind?: string;
  readonly partCount?: number;
}

describeWithRealRedis('verify', () => {
  let dir: string;
  const nodes: NodeProcess[] = [];
  let cluster: Cluster;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-verify-'));
    const real = required(REAL_SERVER, 'redis-server');
    const small = ['hash-max-listpack-entries 0', 'zset-max-listpack-entries 0'];
    const ports = await freePorts(3);
    const makings = [
      { exe: real, config: [] },
      { exe: real, config: small },
      { exe: OUR_SERVER, config: small },
    ];
    for (const [i, { exe, config }] of makings.entries()) {
      nodes.push(new NodeProcess({ exe, port: ports[i] ?? 0, dir: join(dir, String(i)), config }));
    }
    await Promise.all(nodes.map((node) => node.start()));
    cluster = await Cluster.start({ masters: 3, replicasPerMaster: 0, exeOf: () => real });
    const sends: Send[] = [
      ...nodes.map(
        (node): Send =>
          (...args) =>
            node.call(...args),
      ),
      sendTo(cluster),
    ];
    await Promise.all(sends.map((send) => fillWithEverything(send)));
  });

  afterAll(async () => {
    for (const node of nodes) await node.kill();
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const addressOf = (index: number): string => `127.0.0.1:${nodes[index]?.port}`;

  test('equal data is equal, whatever the encoding, server and topology', async () => {
    const targets = [addressOf(1), addressOf(2), `127.0.0.1:${cluster.node(0).port}`];
    for (const target of targets) {
      const { status, stdout } = await runSlotline('verify', addressOf(0), target, ...FAST);
      expect({ status, stdout }).toMatchObject({ status: 0 });
      expect(stdout).toContain('all is equal');
    }
    expect((await runSlotline('verify', targets[2] ?? '', addressOf(0), ...FAST)).status).toBe(0);
  });

  test('every seeded difference is found and nothing else, and repair mends them', async () => {
    const [source, target] = [nodes[0], nodes[2]];
    if (source === undefined || target === undefined) throw new Error('No nodes');
    const put: [string, string][] = [];
    const differ = async (
      key: string,
      kind: string,
      ...command: (string | number)[]
    ): Promise<void> => {
      await target.call(...command);
      put.push([key, kind]);
    };
    await differ('string', 'onlyOnSource', 'DEL', 'string');
    await differ('extra', 'onlyOnTarget', 'SET', 'extra', '1');
    await differ('number', 'value', 'INCR', 'number');
    await differ('text:long', 'value', 'SETRANGE', 'text:long', 299_000, 'x');
    await differ('list', 'value', 'LSET', 'list', 1, 'other');
    await differ('list:large', 'value', 'LSET', 'list:large', -7, 'other');
    await differ('hash', 'value', 'HSET', 'hash', 'f1', 'other');
    await differ('hash:large', 'value', 'HDEL', 'hash:large', 'field:777');
    await differ('set:large', 'value', 'SADD', 'set:large', 'one more');
    await differ('zset', 'value', 'ZADD', 'zset', 5.25, 'b');
    await differ('zset:large', 'value', 'ZINCRBY', 'zset:large', 1, 'member:4321');
    await differ('stream', 'value', 'XDEL', 'stream', '2-1');
    await differ('stream:groups', 'value', 'XACK', 'stream:groups', 'g', '1-1');
    await differ('stream:large', 'value', 'XGROUP', 'SETID', 'stream:large', 'g', '5-5');
    await differ('expiring', 'ttl', 'PERSIST', 'expiring');
    await differ('intset', 'type', 'DEL', 'intset');
    await target.call('RPUSH', 'intset', 1);
    const ends = [addressOf(0), addressOf(2)];
    const { status, stdout } = await runSlotline('verify', ...ends, '--json', ...FAST);
    expect(status).toBe(1);
    expect(found(stdout)).toEqual(put.toSorted(byKey));
    await expectFullCheck(source, ends[1] ?? '', put.length);
    const mended = await runSlotline('verify', ...ends, '--repair', 'target', ...FAST);
    expect({ status: mended.status, text: mended.stdout }).toMatchObject({ status: 0 });
    expect((await runSlotline('verify', ...ends, ...FAST)).status).toBe(0);
  });

  /** The command line of a script that was written for RedisFullCheck. */
  async function expectFullCheck(source: NodeProcess, target: string, keys: number): Promise<void> {
    const [log, result] = [join(dir, 'full-check.log'), join(dir, 'full-check.result')];
    await source.call('CONFIG', 'SET', 'requirepass', 'secret');
    const line =
      `verify -s 127.0.0.1:${source.port} -p secret -t=${target} --sourcedbtype=0 --targetdbtype 0 ` +
      '--sourcedbfilterlist=0 --targetdbfilterlist=-1 --comparemode=1 --comparetimes=2 --interval=0 ' +
      '-q 15000 --batchcount=256 --parallel=5 --bigkeythreshold=16384 -f * --id=demo --jobid=1 ' +
      `--taskid=2 --metric --loglevel=info --systemprofile=20445 --log=${log} --result=${result}`;
    const { status, stdout } = await runSlotline(...line.split(' '));
    await source.call('CONFIG', 'SET', 'requirepass', '');
    expect({ status, stdout }).toMatchObject({ status: 1 });
    const end = /\nall finish successfully, totally (\d+) key\(s\) and \d+ field\(s\) conflict\n$/;
    expect(Number(end.exec(stdout)?.[1])).toBe(keys);
    expect(readFileSync(log, 'utf8')).toMatch(/ignored, .*: --id, .*--bigkeythreshold\n/);
    const lines = readFileSync(result, 'utf8').trim().split('\n');
    expect(lines).toContain('0\tlack_target\tstring\t');
    expect(lines).toContain('0\tlack_source\textra\t');
    expect(lines).toContain('0\tvalue\thash\tf1');
    expect(lines).toContain('0\tlack_target\thash:large\tfield:777');
  }

  test('where no key expires, values and missing keys are told apart all the same', async () => {
    for (const node of [nodes[0], nodes[1]]) {
      await node?.call('SELECT', 4);
      for (const key of ['same', 'other']) await node?.call('SET', key, 'value');
    }
    await nodes[0]?.call('SET', 'empty', '');
    await nodes[1]?.call('SET', 'empty too', '');
    const ends = [addressOf(0), addressOf(1), '--db', '4'];
    const first = await runSlotline('verify', ...ends, '--json', ...FAST);
    expect(found(first.stdout)).toEqual([
      ['empty', 'onlyOnSource'],
      ['empty too', 'onlyOnTarget'],
    ]);
    for (const node of [nodes[0], nodes[1]]) await node?.call('DEL', 'empty', 'empty too');
    await nodes[1]?.call('SET', 'other', 'VALUE');
    const second = await runSlotline('verify', ...ends, '--json', ...FAST);
    expect(found(second.stdout)).toEqual([['other', 'value']]);
    for (const node of [nodes[0], nodes[1]]) {
      await node?.call('FLUSHDB');
      await node?.call('SELECT', 0);
    }
  });

  test('--watch shows what comes and goes, until it is told to end', async () => {
    const target = nodes[1];
    const ends = [addressOf(0), addressOf(1), '--db', '0'];
    const watch = startSlotline(...['verify', ...ends, '--watch', '--json', '--interval', '50']);
    const says = (what: RegExp): Promise<true> =>
      until(() => what.test(watch.stdout()), BOUND_MS, `the watch says ${what}`);
    await says(/"event":"summary","finished":true,"equal":true/);
    await target?.call('SET', 'number', 5);
    await says(/"event":"difference","key":"number".*"kind":"value"/);
    await target?.call('SET', 'number', 12345);
    await says(/"event":"equal","key":"number"/);
    watch.child.kill('SIGINT');
    expect((await watch.result).status).toBe(0);
  });

  test('databases are paired, filters and samples choose keys', async () => {
    const [source] = nodes;
    await source?.call('SELECT', 3);
    await source?.call('SET', 'in three', '1');
    await source?.call('SELECT', 0);
    const ends = [addressOf(0), addressOf(1)];
    const whole = await runSlotline('verify', ...ends, '--json', ...FAST);
    expect(found(whole.stdout)).toEqual([['in three', 'onlyOnSource']]);
    expect((await runSlotline('verify', ...ends, '--db', '0', ...FAST)).status).toBe(0);
    const mapped = await runSlotline('verify', ...ends, '--db', '3:0', '--filter', 'in*', ...FAST);
    expect(mapped.status).toBe(1);
    const refused = await runSlotline('verify', ends[0] ?? '', `127.0.0.1:${cluster.node(0).port}`);
    expect(refused).toMatchObject({ status: 3 });
    expect(refused.stderr).toContain('a cluster has database 0 only');
  });
});

function found(stdout: string): [string, string][] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Finding)
    .filter(({ event }) => event === 'difference')
    .map(({ key, kind }): [string, string] => [key ?? '', kind ?? ''])
    .toSorted(byKey);
}

function byKey([one]: readonly string[], [other]: readonly string[]): number {
  return (one ?? '') < (other ?? '') ? -1 : 1;
}
