/**
 * Goal: our nodes and those of a later version form one cluster in which shard ids agree, messages and FORGET reach all,
 * replicas of either kind take over from masters of the other without losing an acknowledged write, and slots move.
 * Method: two masters and two replicas, each shard of both kinds, with writers that follow MOVED and ASK.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { WriteLoad } from './harness/load.ts';
import type { NodeProcess } from './harness/node-process.ts';
import { OUR_SERVER, describeWithPeer } from './harness/programs.ts';
import { runSlotline } from './harness/slotline.ts';
import { idOf, lastMove, orderHandover } from './harness/slots.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 30_000;
const PEERS = ['valkey9/valkey-server', 'valkey8/valkey-server', 'redis8/redis-server'];

for (const path of PEERS) {
  describeWithPeer(path, (exe) => {
    let cluster: Cluster;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'slotline-newer-'));
      const kinds = [OUR_SERVER, exe, exe, OUR_SERVER];
      cluster = await Cluster.start({
        masters: 2,
        replicasPerMaster: 1,
        exeOf: (index) => kinds[index] ?? exe,
        config: ['cluster-announce-hostname node.example'],
      });
    });
    afterAll(async () => {
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test('shard ids and hostnames agree in the files of all nodes', async () => {
      await until(() => new Set(cluster.nodes.map(shardsOf)).size === 1, BOUND_MS, 'they agree');
      const shards = JSON.parse(shardsOf(cluster.node(0))) as [string, string, string][];
      expect(new Set(shards.map(([, , shard]) => shard)).size).toBe(2);
      expect(shards.map(([, hostname]) => hostname)).toEqual(Array(4).fill('node.example'));
    });

    test('published messages reach every node from every other', async () => {
      const heard = cluster.nodes.map(() => new Set<string>());
      const subscribers = cluster.nodes.map(({ port }) => new Redis(port));
      await Promise.all(subscribers.map((each) => each.subscribe('channel')));
      for (const [index, subscriber] of subscribers.entries()) {
        subscriber.on('message', (_channel, message) => heard[index]?.add(message));
      }
      for (const node of cluster.nodes) await node.call('PUBLISH', 'channel', node.port);
      const isHeard = (): boolean => heard.every(({ size }) => size === cluster.nodes.length);
      await until(isHeard, BOUND_MS, 'all have heard all');
      for (const subscriber of subscribers) subscriber.disconnect();
    });

    test('who is forgotten at one node is forgotten at all', async () => {
      for (const [kind, teller] of [
        [OUR_SERVER, cluster.node(1)],
        [exe, cluster.node(0)],
      ] as const) {
        const guest = await cluster.add(kind);
        await cluster.join(guest);
        const id = await guest.text('CLUSTER', 'MYID');
        await guest.call('CLUSTER', 'RESET');
        await teller.call('CLUSTER', 'FORGET', id);
        const others = cluster.running.filter((node) => node !== guest);
        const knows = async (node: NodeProcess): Promise<boolean> =>
          (await cluster.view(node)).some((record) => record.id === id);
        await until(
          async () => !(await Promise.all(others.map(knows))).includes(true),
          BOUND_MS,
          'nobody knows it',
        );
        for (const node of others) expect(await node.text('CLUSTER', 'FORGET', id)).toBe('OK');
        await guest.kill();
        cluster.nodes.splice(cluster.nodes.indexOf(guest), 1);
      }
    });

    test('either kind takes over from the other, and slots move, without losing a write', async () => {
      const load = new WriteLoad(cluster, { writers: 2 });
      await until(() => load.acknowledgedCount > 200, BOUND_MS, 'the writers are under way');
      for (const [replica, master] of [
        [2, 0],
        [3, 1],
        [0, 2],
        [1, 3],
      ] as const) {
        await handOver(cluster, cluster.node(replica), cluster.node(master));
      }
      for (const [from, to] of [
        [0, 1],
        [1, 0],
      ] as const) {
        const ends = ['--from', at(cluster.node(from)), '--to', at(cluster.node(to))];
        const { status, stderr } = await runSlotline(
          ...['cluster', 'reshard', at(cluster.node(0)), ...ends, '--slots', '500', '--yes'],
          ...['--journal', folder],
        );
        expect(status, stderr).toBe(0);
      }
      await load.stop();
      await cluster.untilAgreed();
      expect(await load.missing()).toEqual([]);
    });

    test('a master of its kind gives its last slots away, and the tool ends well', async () => {
      const alone = await Cluster.start({
        masters: 2,
        replicasPerMaster: 1,
        exeOf: () => exe,
        ranges: [
          [0, 16_300],
          [16_301, 16_383],
        ],
      });
      const weight = ['--weight', `${at(alone.node(1))}=0`];
      try {
        const { status, stderr } = await runSlotline(
          ...['cluster', 'rebalance', at(alone.node(0)), ...weight, '--yes', '--journal', folder],
        );
        expect(status, stderr).toBe(0);
      } finally {
        await alone.stop();
      }
    });
  });
}

describeWithPeer('valkey9/valkey-server', (exe) => {
  test('slots as a whole are refused between the kinds, and stay where they were', async () => {
    const cluster = await Cluster.start({
      masters: 2,
      replicasPerMaster: 0,
      exeOf: (index) => (index === 0 ? OUR_SERVER : exe),
    });
    try {
      const moves = [
        [0, 'the target does not take slots from this node: syntax error'],
        [1, 'Slots come as a whole from nodes of Slotline only'],
      ] as const;
      for (const [index, message] of moves) {
        const [giver, taker] = [cluster.node(index), cluster.node(1 - index)];
        const [[first, last] = [0, 0]] = (await cluster.myself(giver)).slots;
        await orderHandover(giver, await idOf(cluster, giver, taker), [first, first + 99]);
        const isOver = async (): Promise<boolean> => (await lastMove(giver))['state'] === 'failed';
        await until(isOver, BOUND_MS, 'the move fails');
        expect((await lastMove(giver))['message']).toContain(message);
        expect((await cluster.myself(giver)).slots).toEqual([[first, last]]);
      }
      await cluster.untilAgreed();
    } finally {
      await cluster.stop();
    }
  });

  test('between nodes of Valkey 9 the tool moves slots as a whole', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slotline-newer-'));
    const cluster = await Cluster.start({ masters: 3, replicasPerMaster: 0, exeOf: () => exe });
    try {
      const load = new WriteLoad(cluster, { writers: 2 });
      await until(() => load.acknowledgedCount > 200, BOUND_MS, 'the writers are under way');
      const first = at(cluster.node(0));
      const { status, stderr } = await runSlotline(
        ...['cluster', 'reshard', first, '--from', 'all', '--to', first, '--slots', '1000'],
        ...['--yes', '--journal', folder],
      );
      expect(status, stderr).toBe(0);
      await load.stop();
      await cluster.untilAgreed();
      expect(await load.missing()).toEqual([]);
      expect(await lastMove(cluster.node(0))).toMatchObject({
        operation: 'IMPORT',
        state: 'success',
      });
    } finally {
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Of each node its id, its hostname and its shard, from the file that `node` keeps. */
function shardsOf(node: NodeProcess): string {
  const lines = readFileSync(join(node.dir, 'nodes.conf'), 'utf8').split('\n');
  const found = lines.toSorted().flatMap((line) => {
    const match = /^(\w{40}) [^,]*,([^,]*),.*?shard-id=(\w+)/.exec(line);
    return match === null ? [] : [[match[1], match[2], match[3]]];
  });
  return JSON.stringify(found);
}

async function handOver(
  cluster: Cluster,
  replica: NodeProcess,
  master: NodeProcess,
): Promise<void> {
  await cluster.untilSynced(replica);
  await replica.call('CLUSTER', 'FAILOVER');
  await until(() => cluster.isMaster(replica), BOUND_MS, 'the replica has taken over');
  await until(async () => !(await cluster.isMaster(master)), BOUND_MS, 'its master follows it');
  await cluster.untilAgreed();
  await cluster.untilKnownReplica(master, replica);
}

function at(node: NodeProcess): string {
  return `127.0.0.1:${node.port}`;
}
