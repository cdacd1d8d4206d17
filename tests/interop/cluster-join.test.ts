/**
 * Goal: two nodes of which only one knows the other, as a handshake leaves them that ran out on one side, come together
 * again while a tool waits for them.
 * Method: one of two nodes is made to forget the other, which it then ignores for a minute.
 */
import { describe, expect, test } from 'vitest';
import { connectNode } from '../../src/tools/cluster/connect.ts';
import { waitForJoin } from '../../src/tools/cluster/create-run.ts';
import { Cluster } from './harness/cluster.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';

const BOUND_MS = 20_000;

describe('our nodes', () => joining(OUR_SERVER));
describeWithRealRedis('real nodes', () => joining(required(REAL_SERVER, 'redis-server')));

function joining(exe: string): void {
  test('who is a stranger to one side only is greeted again', async () => {
    const cluster = await Cluster.start({ masters: 2, replicasPerMaster: 0, exeOf: () => exe });
    const client = await connectNode({
      host: '127.0.0.1',
      port: cluster.node(1).port,
      tls: false,
      db: 0,
    });
    try {
      const known = cluster.node(0);
      const id = await known.text('CLUSTER', 'MYID');
      await cluster.node(1).call('CLUSTER', 'FORGET', id);
      expect(await cluster.view(cluster.node(1))).toHaveLength(1);
      const { port } = known;
      const nodes = [{ id, ip: '127.0.0.1', port, busPort: port + 10_000 }];
      await waitForJoin({ client, nodes, timeoutMs: BOUND_MS });
      expect(await cluster.view(cluster.node(1))).toHaveLength(2);
    } finally {
      client.close();
      await cluster.stop();
    }
  });
}
