/**
 * Goal: what FORCE and TAKEOVER may do without the master and without the majority (scenario S3).
 * Method: automatic failover switched off on the replicas, masters killed, the command given by hand.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, NODE_TIMEOUT_MS } from './harness/cluster.ts';
import type { NodeProcess } from './harness/node-process.ts';
import { never, until } from './harness/until.ts';

const ELECTION_BOUND_MS = 15 * NODE_TIMEOUT_MS;
/** Long enough for an election to be won if it could be. */
const NO_ELECTION_MS = 3 * NODE_TIMEOUT_MS;

describe('CLUSTER FAILOVER FORCE and TAKEOVER', () => {
  let cluster: Cluster;
  let masters: NodeProcess[];
  let replicas: NodeProcess[];

  beforeAll(async () => {
    cluster = await Cluster.start({
      masters: 3,
      replicasPerMaster: 1,
      config: ['cluster-replica-no-failover yes', 'cluster-allow-replica-migration no'],
    });
    masters = cluster.nodes.slice(0, 3);
    replicas = cluster.nodes.slice(3);
  });
  afterAll(() => cluster.stop());

  test('a master refuses the command', async () => {
    await expect(cluster.node(0).call('CLUSTER', 'FAILOVER')).rejects.toThrow(
      'ERR You should send CLUSTER FAILOVER to a replica',
    );
    await expect(cluster.node(3).call('CLUSTER', 'FAILOVER', 'NOW')).rejects.toThrow(
      'ERR syntax error',
    );
  });

  test('FORCE wins an election when the master is gone; the plain command is refused', async () => {
    const [replica, master] = [cluster.node(3), cluster.node(0)];
    await master.kill();
    await untilFailed(cluster, replica, master);
    await expect(replica.call('CLUSTER', 'FAILOVER')).rejects.toThrow(
      'ERR Master is down or failed, please use CLUSTER FAILOVER FORCE',
    );
    expect(await replica.text('CLUSTER', 'FAILOVER', 'FORCE')).toBe('OK');
    await until(() => cluster.isMaster(replica), ELECTION_BOUND_MS, 'the replica is master');
    expect(replica.log()).toContain("Failover election won: I'm the new master.");
    await cluster.untilAgreed();
    await master.start();
    await cluster.untilAgreed();
  });

  test('without the majority FORCE elects nobody, and TAKEOVER needs nobody', async () => {
    await Promise.all([cluster.node(1).kill(), cluster.node(2).kill()]);
    const orphans = replicas.slice(1);
    for (const replica of orphans) await replica.call('CLUSTER', 'FAILOVER', 'FORCE');
    await never(
      async () => {
        const roles = await Promise.all(orphans.map((replica) => cluster.isMaster(replica)));
        return roles.includes(true);
      },
      NO_ELECTION_MS,
      'a replica was elected by a minority',
    );
    // Both at once: they may pick the same epoch, and must part again by themselves.
    const replies = await Promise.all(
      orphans.map((replica) => replica.text('CLUSTER', 'FAILOVER', 'TAKEOVER')),
    );
    expect(replies).toEqual(['OK', 'OK']);
    await cluster.untilAgreed();
    await until(() => haveDistinctEpochs(cluster), ELECTION_BOUND_MS, 'configEpochs are distinct');
    for (const replica of orphans) {
      expect(replica.log()).toContain('Taking over the master (user request).');
    }
    for (const master of masters.slice(1)) await master.start();
    await until(
      async () => {
        const roles = await Promise.all(masters.slice(1).map((each) => cluster.isMaster(each)));
        return !roles.includes(true);
      },
      ELECTION_BOUND_MS,
      'the masters that come back are replicas',
    );
  });

  test('a replica that the majority does not know is not elected', async () => {
    const stranger = await cluster.add();
    await cluster.join(stranger);
    const current = cluster.node(3);
    await cluster.replicate(stranger, current);
    const id = await stranger.text('CLUSTER', 'MYID');
    for (const node of cluster.running) {
      if (node !== stranger && node !== current) await node.call('CLUSTER', 'FORGET', id);
    }
    expect(await stranger.text('CLUSTER', 'FAILOVER', 'FORCE')).toBe('OK');
    await never(() => cluster.isMaster(stranger), NO_ELECTION_MS, 'the stranger was elected');
  });
});

async function untilFailed(
  cluster: Cluster,
  witness: NodeProcess,
  node: NodeProcess,
): Promise<void> {
  await until(
    async () => {
      const view = await cluster.view(witness);
      return view.find(({ port }) => port === node.port)?.flags.has('fail');
    },
    ELECTION_BOUND_MS,
    `${node.port} is in FAIL`,
  );
}

async function haveDistinctEpochs(cluster: Cluster): Promise<boolean> {
  for (const node of cluster.running) {
    const owners = (await cluster.view(node)).filter(({ slots }) => slots.length > 0);
    if (new Set(owners.map(({ configEpoch }) => configEpoch)).size < owners.length) return false;
  }
  return true;
}
