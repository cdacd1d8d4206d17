/**
 * Goal: every changing tool of `slotline cluster` leaves a whole cluster of real redis-servers and of our nodes, with
 * no acknowledged write lost, and redis-cli agrees; killed in the middle, the next call goes on.
 * Method: the program as it is installed, writers that follow redirections, and `redis-cli --cluster check` at the end
 * of each test; the tests build on each other in order.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { type LoadOptions, WriteLoad, slotOf, tagIn } from './harness/load.ts';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import {
  OUR_SERVER,
  REAL_SERVER,
  REDIS_CLI,
  describeWithRealRedis,
  required,
} from './harness/programs.ts';
import { type RunResult, runSlotline, startSlotline } from './harness/slotline.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 20_000;
/** Real nodes know nothing else; ours leave no slots open otherwise. */
const KEY_BY_KEY = ['--no-atomic'];
/** Nine nodes join and copy, three leave and six leave: on a busy machine more than a minute. */
const LONG_BOUND_MS = 180_000;
const KEYS = 2000;
/** Most slots have one or some. */
const SPREAD_KEYS = 20_000;
/** What CLUSTER INFO says where a node knows itself only. */
const ALONE = 'cluster_known_nodes:1\r\n';

const execute = promisify(execFile);

describeWithRealRedis('the cluster manager', () => {
  describe('on real redis-servers', () =>
    manager(required(REAL_SERVER, 'redis-server'), OUR_SERVER));
  describe('on our nodes', () => manager(OUR_SERVER, required(REAL_SERVER, 'redis-server')));
});

function manager(exe: string, otherExe: string): void {
  let cluster: Cluster;
  let folder: string;
  let load: WriteLoad;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slotline-manager-'));
    cluster = await Cluster.start({ masters: 3, replicasPerMaster: 1, exeOf: () => exe });
    load = new WriteLoad(cluster, { writers: 3 });
    await until(() => load.acknowledgedCount > KEYS, BOUND_MS, 'there are keys');
    await spreadKeys();
  });
  afterAll(async () => {
    await load.stop();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('add-node and reshard give a new master slots', async () => {
    const fresh = await cluster.add(exe);
    await expectDone('add-node', at(fresh.port), at(contact()));
    await expectDone(
      'reshard',
      at(contact()),
      '--from',
      'all',
      '--to',
      at(fresh.port),
      '--slots',
      '600',
    );
    expect(slotsOf(await cluster.myself(fresh))).toBe(600);
    await expectWhole();
  });

  test('a plan in a file does what it says, and only for the cluster it was made for', async () => {
    const file = join(folder, 'plan.json');
    const args = ['rebalance', at(contact()), '--use-empty-masters'];
    await expectDone(...args, '--plan', file);
    expect(slotsOf(await cluster.myself(lastNode()))).toBe(600);
    await expectDone(...args, '--apply', file);
    expect(slotsOf(await cluster.myself(lastNode()))).toBe(4096);
    expect((await expectDone(...args)).stdout).toContain('OK no master is off its share');
    expect((await run('reshard', at(contact()), '--apply', file)).status).toBe(2);
    await expectWhole();
  });

  test('killed in the middle, reshard leaves a journal, and the next call goes on with it', async () => {
    const from = at(lastNode().port);
    const to = at(cluster.node(0).port);
    const ends = ['--from', from, '--to', to, '--slots', '4000'];
    const args = ['reshard', to, ...ends, ...KEY_BY_KEY, '--throttle', '1000'];
    const killed = startSlotline('cluster', ...args, '--yes', '--journal', folder);
    await until(() => isOpen(), BOUND_MS, 'slots are open');
    const second = await run('rebalance', to);
    expect(second.status).toBe(3);
    expect(second.stderr).toContain('Another operator changes this cluster');
    killed.child.kill('SIGKILL');
    await killed.result;
    expect(journals()).toHaveLength(1);
    const resumed = await expectDone(...args.slice(0, -2));
    expect(resumed.stderr).toContain('Going on with an interrupted reshard');
    expect(journals()).toEqual([]);
    expect(slotsOf(await cluster.myself(lastNode()))).toBe(96);
    await expectWhole();
  });

  test('signals pause it and end it in order, and resume --rollback takes back what had moved', async () => {
    const from = at(cluster.node(0).port);
    const ends = ['--from', from, '--to', at(lastNode().port), '--slots', '900'];
    const args = ['reshard', from, ...ends, ...KEY_BY_KEY];
    const before = slotsOf(await cluster.myself(cluster.node(0)));
    const stopped = startSlotline(
      'cluster',
      ...args,
      '--throttle',
      '500',
      '--yes',
      '--journal',
      folder,
    );
    await until(() => isOpen(), BOUND_MS, 'slots are open');
    stopped.child.kill('SIGUSR1');
    // Of two signals that wait together, the system hands over the later one first.
    await until(() => stopped.stderr().includes('Pausing'), BOUND_MS, 'the signal is taken');
    await until(async () => !(await isOpen()), BOUND_MS, 'it pauses with all slots closed');
    stopped.child.kill('SIGUSR2');
    await until(() => stopped.stderr().includes('Going on'), BOUND_MS, 'it goes on');
    stopped.child.kill('SIGINT');
    expect((await stopped.result).status).toBe(3);
    expect(await isOpen()).toBe(false);
    await expectDone('resume', from, '--rollback');
    expect(slotsOf(await cluster.myself(cluster.node(0)))).toBe(before);
    await expectWhole();
  });

  test('a master that is lost in the middle stops it, and after the failover the next call goes on', async () => {
    const [lost, heir, taker] = [cluster.node(2), cluster.node(5), lastNode()];
    const [from, to] = [at(lost.port), at(taker.port)];
    const ends = ['--from', from, '--to', to, '--slots', '600'];
    const args = ['reshard', at(contact()), ...ends, ...KEY_BY_KEY];
    const before = slotsOf(await cluster.myself(taker));
    const flags = ['--throttle', '500', '--yes', '--journal', folder];
    const stopped = startSlotline('cluster', ...args, ...flags);
    await until(() => isOpen(), BOUND_MS, 'slots are open');
    await lost.kill();
    const { status, stderr } = await stopped.result;
    expect(status, stderr).toBe(3);
    expect(stderr).toMatch(/^slotline: .*$/m);
    // The node that was importing from it says CLUSTERDOWN until somebody ends that.
    await until(() => cluster.isMaster(heir), BOUND_MS, 'its replica has taken over');
    await lost.start();
    await until(async () => !(await cluster.isMaster(lost)), BOUND_MS, 'it is a replica');
    await cluster.untilSynced(lost);
    await expectDone(...args);
    expect(slotsOf(await cluster.myself(taker))).toBe(before + 600);
    await expectWhole();
  });

  test('fix closes slots that were left open, finishes moves and finds stray keys', async () => {
    const [a, b] = [cluster.node(0), lastNode()];
    const [range = [0, 0]] = (await cluster.myself(a)).slots;
    const [aId, bId] = [await a.text('CLUSTER', 'MYID'), await b.text('CLUSTER', 'MYID')];
    const [half, idle, stray] = [range[0], range[0] + 1, range[0] + 2];
    await b.call('CLUSTER', 'SETSLOT', half, 'IMPORTING', aId);
    await a.call('CLUSTER', 'SETSLOT', half, 'MIGRATING', bId);
    await a.call('CLUSTER', 'SETSLOT', idle, 'MIGRATING', bId);
    await b.call('CLUSTER', 'SETSLOT', stray, 'IMPORTING', aId);
    const check = await run('check', at(a.port));
    expect(check.status).toBe(1);
    const dry = await run('fix', at(a.port), '--dry-run');
    expect(dry.stdout).toContain('Dry run');
    await expectDone('fix', at(a.port));
    expect((await cluster.myself(b)).slots.flat()).toContain(half);
    await expectWhole();
  });

  test('fix gives slots without an owner one', async () => {
    const node = lastNode();
    const [[lostFirst] = [0]] = (await cluster.myself(node)).slots;
    for (const each of cluster.running) {
      if (await cluster.isMaster(each)) await each.call('CLUSTER', 'DELSLOTS', lostFirst);
    }
    await expectDone('fix', at(contact()));
    await cluster.untilAgreed();
    await expectWhole();
  });

  test('switchover hands every shard over', async () => {
    await expectDone('rebalance', at(contact()), '--weight', `${at(lastNode().port)}=0`);
    await expectDone('del-node', at(contact()), at(lastNode().port));
    await lastNode().kill();
    await cluster.untilAgreed();
    const masters = await spreadReplicas();
    const result = await expectDone('switchover', at(contact()), '--json');
    const { failovers } = JSON.parse(result.stdout) as { failovers: { durationMs: number }[] };
    expect(failovers).toHaveLength(3);
    for (const master of masters) expect(await cluster.isMaster(master)).toBe(false);
    await expectWhole();
  });

  test('rebalance shares out keys, and memory', async () => {
    const masters: NodeProcess[] = [];
    for (const node of cluster.running) if (await cluster.isMaster(node)) masters.push(node);
    const [crowded = cluster.node(0)] = masters;
    const ranges = [...(await cluster.myself(crowded)).slots];
    const [range = [0, 0]] = ranges.sort(([a, b], [c, d]) => d - c - (b - a));
    const tags = Array.from({ length: 30 }, (_, n) => tagIn(range, n));
    for (const tag of tags) {
      const names = Array.from({ length: 100 }, (_, n) => `crowd:{${tag}}${n}`);
      await crowded.call('MSET', ...names.flatMap((name) => [name, 'x']));
    }
    await expectDone('rebalance', at(contact()), '--by', 'keys');
    // All of them were on one; how many may stay there depends on what else each master has.
    expect(Math.max(...(await countsOn(masters, 'crowd:*')))).toBeLessThan(tags.length * 100);
    const counts = await Promise.all(masters.map((node) => node.call('DBSIZE')));
    expect(spread(counts.map(Number))).toBeLessThan(0.1);
    // Slots are judged by a few of their keys: the heavy ones lie alone.
    for (let n = 0; n < tags.length; n++) {
      await ownerSet(`heavy:{${tagIn(range, tags.length + n)}}`, Buffer.alloc(500_000));
    }
    await expectDone('rebalance', at(contact()), '--by', 'memory');
    expect(spread(await countsOn(masters, 'heavy:*'))).toBeLessThan(0.5);
    await expectWhole();
  });

  test('upgrade restarts every node, and each is a replica when it is its turn', async () => {
    const nodes = cluster.running;
    for (const node of nodes) if (!(await cluster.isMaster(node))) await cluster.untilSynced(node);
    const pids = nodes.map(({ pid }) => pid);
    // The command ends the server; what an init system would do, the test does: start it again.
    const starter = setInterval(() => {
      for (const node of nodes.filter(({ isRunning }) => !isRunning)) node.launch();
    }, 50);
    try {
      const command = `${required(REDIS_CLI, 'redis-cli')} -p {port} SHUTDOWN NOSAVE`;
      await expectDone('upgrade', at(contact()), '--restart-command', command);
    } finally {
      clearInterval(starter);
    }
    expect(nodes.filter(({ pid }, index) => pid === pids[index])).toEqual([]);
    await expectWhole();
  });

  test(
    'relocate, taken back and done again, moves every shard without a lost write',
    async () => {
      const old = cluster.running;
      const fresh = [];
      for (let count = 0; count < 6; count++) fresh.push(await cluster.add(otherExe));
      const to = fresh.map(({ port }) => at(port));
      const args = ['relocate', at(contact()), '--to', to.slice(0, 3).join(',')];
      const stopped = startSlotline('cluster', ...args, '--yes', '--journal', folder);
      await until(() => stopped.stderr().includes('hand over from'), BOUND_MS, 'shards move');
      stopped.child.kill('SIGINT');
      expect((await stopped.result).status).toBe(3);
      await expectDone('resume', at(contact()), '--rollback');
      for (const node of fresh) expect(await node.text('CLUSTER', 'INFO')).toContain(ALONE);
      await expectWhole();
      await expectDone('relocate', at(contact()), '--to', to.join(','));
      for (const node of old) {
        expect(await node.text('CLUSTER', 'INFO')).toContain(ALONE);
        await node.kill();
      }
      const count = load.acknowledgedCount;
      await until(() => load.acknowledgedCount > count + 100, BOUND_MS, 'writes go on');
      await load.stop();
      await expectWhole();
      expect(await load.missing()).toEqual([]);
    },
    LONG_BOUND_MS,
  );

  test('takeover promotes replicas once their masters are gone, and refuses before', async () => {
    const masters: NodeProcess[] = [];
    const replicas: NodeProcess[] = [];
    for (const node of cluster.running) {
      ((await cluster.isMaster(node)) ? masters : replicas).push(node);
    }
    const names = replicas.map(({ port }) => at(port)).join(',');
    const refused = await run('takeover', at(replicas[0]?.port ?? 0), '--nodes', names);
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('answers: use "slotline cluster switchover"');
    const before = await loadsOf(masters, { needsReplica: true, name: 'before' });
    await Promise.all(masters.map((node) => node.kill()));
    await expectDone('takeover', at(replicas[0]?.port ?? 0), '--nodes', names);
    await cluster.untilAgreed();
    // The new masters have no replica, so that nothing of these is acknowledged any more.
    const after = await loadsOf(replicas, { name: 'after' });
    for (const each of [...before, ...after]) {
      await each.stop();
      expect(await each.missing()).toEqual([]);
    }
    expect(await load.missing()).toEqual([]);
  });

  test('replace puts a new node in the place of one that is gone', async () => {
    const gone = cluster.nodes.filter(({ isRunning }) => !isRunning).slice(-3);
    const [{ port: contactPort } = cluster.node(0)] = cluster.running;
    const [first, ...others] = gone.map(({ port }) => at(port));
    const fresh = await cluster.add(exe);
    await expectDone('replace', at(contactPort), first ?? '', at(fresh.port));
    expect(await cluster.isMaster(fresh)).toBe(false);
    for (const other of others) await expectDone('del-node', at(contactPort), other);
    await expectWhole();
  });

  test('a slot whose key is too large to move stays, and is named', async () => {
    const masters: NodeProcess[] = [];
    for (const node of cluster.running) if (await cluster.isMaster(node)) masters.push(node);
    const [giver = cluster.node(0), taker = cluster.node(0)] = masters;
    const lowest = Math.min(...(await cluster.myself(giver)).slots.flat());
    await giver.call('SET', `{${tagIn([lowest, lowest], 0)}}large`, Buffer.alloc(10_000));
    const ends = ['--from', at(giver.port), '--to', at(taker.port), '--slots', '1'];
    const kept = await run('reshard', at(giver.port), ...ends, '--key-bytes-max', '9000');
    expect(kept.status, kept.stderr).toBe(1);
    expect(kept.stdout).toContain(`slot ${lowest} stays: its key`);
    await expectDone('reshard', at(giver.port), ...ends);
    const { slots } = await cluster.myself(taker);
    expect(slots.some(([first, last]) => first <= lowest && lowest <= last)).toBe(true);
    await expectWhole();
  });

  test('import moves the keys of a single server, whatever bytes they are of', async () => {
    const [port = 0] = await freePorts(1);
    const single = new NodeProcess({ exe: otherExe, port, dir: join(folder, 'single') });
    await single.start();
    const keys = Array.from({ length: 500 }, (_, n) => Buffer.from(`import:\0\xff:${n}`, 'latin1'));
    for (const key of keys) await single.call('SET', key, 'value', 'PX', 600_000);
    await single.call('HSET', 'import:hash', 'field', 'value');
    await expectDone('import', at(contact()), '--from', at(single.port));
    expect(await single.call('DBSIZE')).toBe(0);
    const count = await keysLike('import:*');
    expect(count).toBe(keys.length + 1);
    await single.kill();
  });

  /** Keys all over the slots: the writers' are in a few, and moves of empty slots are over before anyone looks. */
  async function spreadKeys(): Promise<void> {
    const keys = Array.from({ length: SPREAD_KEYS }, (_, n) => `spread:${n}`);
    for (const node of cluster.running) {
      const { slots } = await cluster.myself(node);
      const own = keys.filter((key) => {
        const slot = slotOf(key);
        return slots.some(([first, last]) => slot >= first && slot <= last);
      });
      await Promise.all(own.map((key) => node.call('SET', key, 'value')));
    }
  }

  /** A writer to the slots of each of `masters`, once it has written. */
  async function loadsOf(
    masters: readonly NodeProcess[],
    options: LoadOptions,
  ): Promise<WriteLoad[]> {
    const loads: WriteLoad[] = [];
    for (const master of masters) {
      const [slots = [0, 0]] = (await cluster.myself(master)).slots;
      loads.push(new WriteLoad(cluster, { ...options, writers: 1, slots }));
    }
    const all = (): boolean => loads.every(({ acknowledgedCount }) => acknowledgedCount > 100);
    await until(all, BOUND_MS, 'each shard is written to');
    return loads;
  }

  async function countsOn(nodes: readonly NodeProcess[], pattern: string): Promise<number[]> {
    const replies = await Promise.all(nodes.map((node) => node.call('KEYS', pattern)));
    return replies.map((reply) => (Array.isArray(reply) ? reply.length : 0));
  }

  async function ownerSet(key: string, value: Buffer): Promise<void> {
    for (const node of cluster.running) {
      const { slots } = await cluster.myself(node);
      const slot = slotOf(key);
      if (slots.some(([first, last]) => slot >= first && slot <= last)) {
        await node.call('SET', key, value);
      }
    }
  }

  async function keysLike(pattern: string): Promise<number> {
    let count = 0;
    for (const node of cluster.running) {
      if (!(await cluster.isMaster(node))) continue;
      const reply = await node.call('KEYS', pattern);
      count += Array.isArray(reply) ? reply.length : 0;
    }
    return count;
  }

  function contact(): number {
    return cluster.node(1).isRunning ? cluster.node(1).port : (cluster.running[0]?.port ?? 0);
  }

  function lastNode(): Cluster['nodes'][number] {
    return cluster.node(6);
  }

  function journals(): string[] {
    return readdirSync(folder).filter((name) => name.endsWith('.journal'));
  }

  function run(...args: readonly string[]): Promise<RunResult> {
    const journal = args[0] === 'import' ? [] : ['--journal', folder];
    const flags = args[0] === 'check' ? [] : ['--yes', ...journal];
    return runSlotline('cluster', ...args, ...flags);
  }

  /**
   * The masters, each of which has a replica with its data then, known to all. The emptied node was a replica for a
   * while, so that a master's own may have gone to another master by replica migration, and may still come and go.
   */
  async function spreadReplicas(): Promise<NodeProcess[]> {
    return until(
      async () => {
        const shards = new Map<NodeProcess, NodeProcess[]>();
        for (const node of cluster.running) if (await cluster.isMaster(node)) shards.set(node, []);
        for (const [master, replicas] of shards) replicas.push(...(await replicasOf(master)));
        const spare = [...shards.values()].flatMap(([, ...others]) => others).at(0);
        const bare = [...shards].find(([, replicas]) => replicas.length === 0)?.[0];
        if (bare === undefined) return [...shards.keys()];
        if (spare !== undefined) await cluster.replicate(spare, bare);
        return false;
      },
      BOUND_MS,
      'each master has a replica that all know',
    );
  }

  /** Those that say so themselves and have its data, and of which every other node says it. */
  async function replicasOf(master: NodeProcess): Promise<NodeProcess[]> {
    const { id } = await cluster.myself(master);
    const views = await Promise.all(cluster.running.map((node) => cluster.view(node)));
    const found: NodeProcess[] = [];
    for (const node of cluster.running) {
      const own = await cluster.myself(node);
      const isKnown = views.every((view) =>
        view.some((each) => each.id === own.id && each.masterId === id),
      );
      const facts = await node.facts('INFO', 'replication');
      if (isKnown && facts.get('master_link_status') === 'up') found.push(node);
    }
    return found;
  }

  async function expectDone(...args: readonly string[]): Promise<RunResult> {
    const done = await run(...args);
    expect(done.status, `${args.join(' ')}\n${done.stdout}${done.stderr}`).toBe(0);
    return done;
  }

  async function isOpen(): Promise<boolean> {
    for (const node of cluster.running) {
      if ((await node.text('CLUSTER', 'NODES')).includes('[')) return true;
    }
    return false;
  }

  /** By our check and by redis-cli's. */
  async function expectWhole(): Promise<void> {
    const cli = required(REDIS_CLI, 'redis-cli');
    const [{ stdout }] = await Promise.all([
      execute(cli, ['--cluster', 'check', at(contact())]),
      expectDone('check', at(contact())),
    ]);
    expect(stdout).toContain('[OK] All 16384 slots covered.');
    expect(stdout).not.toContain('WARNING');
  }
}

function at(port: number): string {
  return `127.0.0.1:${port}`;
}

function slotsOf({ slots }: Awaited<ReturnType<Cluster['myself']>>): number {
  return slots.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** How far the largest is above the mean, as a part of it. */
function spread(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return Math.max(...counts) / mean - 1;
}
