/**
 * Goal: Sentinels notice a master that died and move it, whoever made them and the nodes (scenario S6).
 * Method: kill -9 of the master; the leader's log in Redis's words and order; the files of all.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeProcess } from './harness/node-process.ts';
import {
  OUR_SENTINEL,
  OUR_SERVER,
  REAL_SENTINEL,
  REAL_SERVER,
  describeWithPeer,
  describeWithRealRedis,
  required,
} from './harness/programs.ts';
import { MASTER_NAME, Sentinels } from './harness/sentinels.ts';
import { type Running, startSlotline } from './harness/slotline.ts';
import { until } from './harness/until.ts';

const FAILOVER_BOUND_MS = 40_000;
/** What the leader tells, in this order. */
const EVENTS: readonly string[] = [
  ...['+sdown master', '+odown master', '+new-epoch', '+try-failover', '+vote-for-leader'],
  ...['+elected-leader', '+failover-state-select-slave', '+selected-slave'],
  ...['+failover-state-send-slaveof-noone', '+failover-state-wait-promotion'],
  ...['+promoted-slave', '+failover-state-reconf-slaves', '+slave-reconf-sent'],
  ...['+slave-reconf-inprog', '+slave-reconf-done', '+failover-end', '+switch-master'],
];

const realServer = (): string => required(REAL_SERVER, 'redis-server');
const realSentinel = (): string => required(REAL_SENTINEL, 'redis-sentinel');

describe('Sentinels and nodes of ours', () => {
  failover(() => ({ node: OUR_SERVER, sentinels: [OUR_SENTINEL, OUR_SENTINEL, OUR_SENTINEL] }));
});

describeWithRealRedis('two Sentinels of ours, a real one and real nodes', () => {
  failover(
    () => ({ node: realServer(), sentinels: [OUR_SENTINEL, OUR_SENTINEL, realSentinel()] }),
    true,
  );
});

describeWithRealRedis('two real Sentinels, one of ours and our nodes', () => {
  failover(() => ({ node: OUR_SERVER, sentinels: [OUR_SENTINEL, realSentinel(), realSentinel()] }));
});

describe.each([
  'redis6/redis-sentinel',
  'redis8/redis-sentinel',
  'valkey8/valkey-sentinel',
  'valkey9/valkey-sentinel',
])('two Sentinels of ours and one of another version', (peer) => {
  describeWithPeer(peer, (exe) =>
    failover(() => ({ node: OUR_SERVER, sentinels: [OUR_SENTINEL, OUR_SENTINEL, exe] })),
  );
});

/** With `isWatched`, `slotline watch` has to tell of it too. */
function failover(
  options: () => Parameters<typeof Sentinels.start>[0],
  isWatched: boolean = false,
): void {
  let set: Sentinels;
  let watch: Running | undefined;

  beforeAll(async () => {
    set = await Sentinels.start(options());
  });
  afterAll(() => set.stop());

  test('the master that dies is replaced, everywhere and on disk', async () => {
    const { master, sentinels } = set;
    if (isWatched) {
      watch = startSlotline('watch', `127.0.0.1:${sentinels[0]?.port}`);
      await until(
        () => watch?.stdout().includes(`127.0.0.1:${master.port}`),
        FAILOVER_BOUND_MS,
        'the watcher knows the master',
      );
    }
    await master.kill();
    await until(
      async () => {
        const ports = await Promise.all(sentinels.map((sentinel) => set.masterPort(sentinel)));
        return ports.every((port) => port === ports[0] && port !== master.port);
      },
      FAILOVER_BOUND_MS,
      'all Sentinels name the same new master',
    );
    const port = await set.masterPort(sentinels[0]!);
    const isLeader = (sentinel: NodeProcess): boolean => sentinel.log().includes('+elected-leader');
    await until(
      () => sentinels.every((sentinel) => sentinel.log().includes('+switch-master')),
      FAILOVER_BOUND_MS,
      'all Sentinels have switched',
    );
    for (const leader of sentinels.filter(isLeader)) expect(eventsOf(leader)).toEqual(EVENTS);
    expect(sentinels.filter(isLeader)).toHaveLength(1);
    for (const sentinel of sentinels) {
      const file = sentinel.file('redis.conf');
      expect(file).toContain(`sentinel monitor ${MASTER_NAME} 127.0.0.1 ${port} 2\n`);
      expect(file).toContain(`sentinel config-epoch ${MASTER_NAME} 1\n`);
      expect(file).toContain(`sentinel known-replica ${MASTER_NAME} 127.0.0.1 ${master.port}\n`);
    }
  });

  test.runIf(isWatched)('whoever watches any one of the Sentinels hears all of them', async () => {
    const { master, sentinels } = set;
    for (const { port } of sentinels) {
      const told = `127.0.0.1:${master.port} +sdown master mymaster 127.0.0.1 ${master.port} (Sentinel 127.0.0.1:${port})`;
      await until(() => watch?.stdout().includes(told), FAILOVER_BOUND_MS, `"${told}" is told`);
    }
    const isTold = () => / \+vote-for-leader .*\+switch-master /s.test(watch?.stdout() ?? '');
    await until(isTold, FAILOVER_BOUND_MS, 'votes and the switch are told');
    watch?.child.kill('SIGTERM');
    expect((await watch?.result)?.status).toBe(0);
  });

  test('the old master comes back as a replica', async () => {
    const { master } = set;
    await master.start();
    await until(
      async () => (await master.facts('INFO', 'replication')).get('role') === 'slave',
      FAILOVER_BOUND_MS,
      'the old master follows',
    );
  });
}

/** The events of the failover that a leader's log tells, each where it stands first. */
function eventsOf(leader: NodeProcess): readonly string[] {
  const log = leader.log();
  const from = log.lastIndexOf(
    '\n',
    log.lastIndexOf('+sdown master', log.indexOf('+odown master')),
  );
  return EVENTS.map((event) => ({ event, at: log.indexOf(event, from) }))
    .filter(({ at }) => at >= 0)
    .toSorted((a, b) => a.at - b.at)
    .map(({ event }) => event);
}
