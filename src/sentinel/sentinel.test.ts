/** Goal: Sentinels fail a master over as Redis's do. Method: several machines and simple nodes in virtual time. */
import { describe, expect, test } from 'vitest';
import { failoverByOperator, monitor, reset, setOptions } from './admin.ts';
import { ReplyError } from '../resp/index.ts';
import type { Effect } from './effects.ts';
import { type TestSentinel, TestWorld } from './test-world.ts';
import { flagsOf } from './views.ts';

/** The events of a failover with one more replica, as they stand in DESIGN S6. */
const FAILOVER_EVENTS = [
  ...['+sdown', '+odown', '+new-epoch', '+try-failover', '+vote-for-leader', '+elected-leader'],
  ...['+failover-state-select-slave', '+selected-slave', '+failover-state-send-slaveof-noone'],
  ...['+failover-state-wait-promotion', '-role-change', '+promoted-slave'],
  ...['+failover-state-reconf-slaves', '+slave-reconf-sent', '+slave-reconf-inprog'],
  ...['+slave-reconf-done', '+failover-end', '+switch-master'],
];

function settled(options: ConstructorParameters<typeof TestWorld>[0] = {}): TestWorld {
  const world = new TestWorld(options);
  world.settle();
  for (const sentinel of world.sentinels) sentinel.effects.length = 0;
  return world;
}

function isMoved({ master }: TestSentinel): boolean {
  return master.address.port !== 7000;
}

function leaderOf(world: TestWorld): TestSentinel {
  return world.sentinels.find(({ events }) => events.includes('+elected-leader'))!;
}

function textOf(effects: readonly Effect[], type: string): string | undefined {
  const found = effects.find((effect) => effect.kind === 'event' && effect.type === type);
  return found?.kind === 'event' ? found.text : undefined;
}

describe('a master that dies', () => {
  test('is replaced by its best replica, in the order of the real events', () => {
    const world = settled();
    world.nodes[2]!.offset = 500;
    world.kill(world.nodes[0]!);
    world.runUntil(() => world.sentinels.every(isMoved));
    const leader = leaderOf(world);
    const told = leader.events.filter((type) => FAILOVER_EVENTS.includes(type));
    expect(told).toEqual(FAILOVER_EVENTS);
    expect(textOf(leader.effects, '+switch-master')).toBe('mymaster 127.0.0.1 7000 127.0.0.1 7002');
    expect(textOf(leader.effects, '+odown')).toMatch(
      /^master mymaster 127.0.0.1 7000 #quorum \d\/2$/,
    );
    expect(world.nodes.map(({ masterPort }) => masterPort)).toEqual([undefined, 7002, undefined]);
    for (const { saved, port } of world.sentinels) {
      const [master] = saved.masters;
      expect([port, master?.port, master?.configEpoch]).toEqual([port, 7002, 1]);
      expect(master?.replicas.map((replica) => replica.port).sort()).toEqual([7000, 7001]);
    }
  });

  test('is a replica of the new one when it comes back', () => {
    const world = settled();
    world.kill(world.nodes[0]!);
    world.runUntil(() => world.sentinels.every(isMoved));
    world.nodes[0]!.isUp = true;
    world.runUntil(() => world.nodes[0]!.masterPort !== undefined);
    expect(world.sentinels.some(({ events }) => events.includes('+convert-to-slave'))).toBe(true);
  });

  test('is replaced however the first Sentinels are chosen by chance', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const world = settled({ seed, sentinels: 5, quorum: 3 });
      world.kill(world.nodes[0]!);
      world.runUntil(() => world.sentinels.every(isMoved), 10_000);
      const leaders = world.sentinels.filter(({ events }) => events.includes('+elected-leader'));
      expect(leaders).toHaveLength(1);
    }
  });

  test('is left to a Sentinel whose request for votes was there before the own turn came', () => {
    const world = settled({ sentinels: 1, quorum: 1 });
    const [first] = world.sentinels;
    world.kill(world.nodes[0]!);
    world.runUntil(() => first!.master.odownSince !== undefined);
    const other = 'f'.repeat(40);
    const request = ['SENTINEL', 'is-master-down-by-addr', '127.0.0.1', '7000', '1', other];
    expect(first!.answer(request)).toEqual([1, Buffer.from(other), 1]);
    world.runFor(2000);
    expect(first!.events).toContain('+odown');
    expect(first!.events).not.toContain('+try-failover');
  });

  test('stays where it was without a quorum, and without a majority', () => {
    const few = settled({ sentinels: 3, quorum: 3 });
    few.kill(few.sentinels[2]!);
    few.kill(few.nodes[0]!);
    few.runFor(20_000);
    expect(few.sentinels[0]!.events).toContain('+sdown');
    expect(few.sentinels[0]!.events).not.toContain('+odown');
    const alone = settled({ sentinels: 3, quorum: 1 });
    for (const dead of [alone.sentinels[1]!, alone.sentinels[2]!]) alone.kill(dead);
    alone.kill(alone.nodes[0]!);
    alone.runFor(20_000);
    expect(alone.sentinels[0]!.events).toContain('-failover-abort-not-elected');
    expect(isMoved(alone.sentinels[0]!)).toBe(false);
  });

  test('is replaced when it calls itself a replica, though nobody has had a master for long', () => {
    const world = settled({ replicas: 1 });
    const [master, replica] = [world.nodes[0]!, world.nodes[1]!];
    master.masterPort = replica.port;
    for (const node of world.nodes) {
      node.isLinked = false;
      node.linkDownSeconds = 25;
    }
    world.runUntil(() => replica.masterPort === undefined, 60_000);
    expect(leaderOf(world).events).toContain('+selected-slave');
  });

  test('is not ODOWN by what others said before TILT', () => {
    const world = settled();
    const [first] = world.sentinels;
    world.unixOffset = 3_600_000;
    world.runUntil(() => first!.events.includes('+tilt'));
    for (const peer of first!.master.sentinels.values()) {
      peer.saysMasterDown = true;
      peer.lastOpinionAt = first!.context.now.mono;
    }
    world.isolate(first!);
    world.runUntil(() => first!.events.includes('-tilt'));
    world.runFor(1000);
    expect(first!.events).toContain('+sdown');
    expect(first!.events).not.toContain('+odown');
  });

  test('is not replaced by a replica of priority 0', () => {
    const world = settled({ replicas: 1 });
    world.nodes[1]!.priority = 0;
    world.kill(world.nodes[0]!);
    world.runFor(5000);
    expect(leaderOf(world).events).toContain('-failover-abort-no-good-slave');
    expect(world.nodes[1]!.masterPort).toBe(7000);
  });

  test('gets its replicas reconfigured so many at a time', () => {
    const world = settled({ replicas: 4 });
    for (const node of world.nodes.slice(2)) node.isLinked = false;
    world.nodes[1]!.offset = 900;
    world.kill(world.nodes[0]!);
    world.runUntil(() => world.nodes.some(({ masterPort }) => masterPort === 7001));
    world.runFor(2000);
    const busy = world.nodes.filter(({ masterPort }) => masterPort === 7001);
    expect(busy).toHaveLength(1);
    for (const node of world.nodes) node.isLinked = true;
    world.runUntil(() => leaderOf(world).events.includes('+switch-master'));
    expect(leaderOf(world).events).toContain('+failover-end');
  });

  test('ends its failover after the time-out though a replica does not follow', () => {
    const world = settled();
    world.nodes[1]!.offset = 900;
    world.nodes[2]!.isLinked = false;
    world.kill(world.nodes[0]!);
    world.runUntil(() => leaderOf(world)?.events.includes('+switch-master') === true);
    expect(leaderOf(world).events).toContain('+failover-end-for-timeout');
  });
});

describe('a Sentinel', () => {
  test('is heard of by its hello, and again when it moved', () => {
    const world = settled();
    const [first, second] = [world.sentinels[0]!, world.sentinels[1]!];
    expect([...first.master.sentinels.keys()]).toContain(second.context.myId);
    const id = second.context.myId;
    first.step({ kind: 'hello', message: `127.0.0.1,26400,${id},0,mymaster,127.0.0.1,7000,0` });
    expect(first.events).toContain('+sentinel-address-switch');
    expect(first.master.sentinels.get(id)?.address.port).toBe(26_400);
  });

  test('forgets the one that was at the address of a new one', () => {
    const world = settled();
    const [first, second] = [world.sentinels[0]!, world.sentinels[1]!];
    const id = 'f'.repeat(40);
    first.step({
      kind: 'hello',
      message: `127.0.0.1,${second.port},${id},0,mymaster,127.0.0.1,7000,0`,
    });
    expect(first.events.slice(0, 2)).toEqual(['+sentinel-invalid-addr', '+sentinel']);
    expect(first.master.sentinels.size).toBe(2);
  });

  test('takes no notice of nonsense on the hello channel', () => {
    const world = settled();
    const [first] = world.sentinels;
    const id = 'f'.repeat(40);
    for (const message of [
      ...['', 'a,b,c', `127.0.0.1,x,${id},0,mymaster,127.0.0.1,7000,0`],
      ...[`127.0.0.1,99999,${id},0,mymaster,127.0.0.1,7000,0`],
      ...[`no.such.host,26400,${id},0,mymaster,127.0.0.1,7000,0`],
      ...[`127.0.0.1,26400,${id},-1,mymaster,127.0.0.1,7000,0`],
      ...[`127.0.0.1,26400,${id},0,other,127.0.0.1,7000,0`],
    ]) {
      first!.step({ kind: 'hello', message });
    }
    expect(first!.events).toEqual([]);
    expect(first!.master.sentinels.size).toBe(2);
  });

  test('votes once an epoch, restarts included, and has it on disk before it says so', () => {
    const world = settled();
    const [first] = world.sentinels;
    const ask = (epoch: number, id: string): unknown[] => {
      const words = ['SENTINEL', 'is-master-down-by-addr', '127.0.0.1', '7000', String(epoch), id];
      return (first!.answer(words) as unknown[]).map(String);
    };
    expect(ask(5, 'one')).toEqual(['0', 'one', '5']);
    expect(first!.saved.masters[0]?.leaderEpoch).toBe(5);
    expect(first!.saved.currentEpoch).toBe(5);
    expect(ask(5, 'two')).toEqual(['0', 'one', '5']);
    first!.restart();
    expect(ask(5, 'two')).toEqual(['0', '*', '0']);
    expect(ask(6, 'two')).toEqual(['0', 'two', '6']);
  });

  test('gives no vote that its disk did not take', () => {
    const world = settled();
    const [first] = world.sentinels;
    first!.canSave = false;
    const words = ['SENTINEL', 'is-master-down-by-addr', '127.0.0.1', '7000', '5', 'one'];
    expect((first!.answer(words) as unknown[]).map(String)).toEqual(['0', '*', '0']);
    for (const sentinel of world.sentinels) sentinel.canSave = false;
    world.kill(world.nodes[0]!);
    world.runFor(9000);
    expect(world.sentinels.some(({ events }) => events.includes('+odown'))).toBe(true);
    expect(world.sentinels.some(({ events }) => events.includes('+elected-leader'))).toBe(false);
  });

  test('parts from a master of the same epoch when its own has the smaller address', () => {
    const world = settled();
    const [first, second] = [world.sentinels[0]!, world.sentinels[1]!];
    const { myId } = second.context;
    const hear = (configEpoch: number, masterPort: number): void =>
      first.step({
        kind: 'hello',
        message: `127.0.0.1,${second.port},${myId},4,mymaster,127.0.0.1,${masterPort},${configEpoch}`,
      });
    hear(3, 7001);
    hear(3, 7000);
    expect(first.master).toMatchObject({ configEpoch: 3, address: { port: 7001 } });
    hear(3, 7002);
    expect(first.saved).toMatchObject({
      currentEpoch: 5,
      masters: [{ configEpoch: 5, port: 7001 }],
    });
  });

  test('leads no failover in an epoch that its disk did not take, whoever asks for it', () => {
    const world = settled();
    const [first] = world.sentinels;
    first!.canSave = false;
    first!.act((c) => failoverByOperator(c, first!.master, false));
    world.runFor(5000);
    expect(first!.events).not.toContain('+elected-leader');
    first!.canSave = true;
    world.runFor(1000);
    expect(first!.events).toContain('+elected-leader');
  });

  test('gives its failover up for a newer one, even back to the old master', () => {
    const world = settled();
    const [first, second] = [world.sentinels[0]!, world.sentinels[1]!];
    for (const node of world.nodes) node.isLinked = false;
    first.act((c) => failoverByOperator(c, first.master, false));
    world.runUntil(() => first.master.failover.state === 'reconfigureReplicas');
    expect(first.saved.masters[0]?.port).not.toBe(7000);
    const id = second.context.myId;
    first.step({
      kind: 'hello',
      message: `127.0.0.1,${second.port},${id},2,mymaster,127.0.0.1,7000,2`,
    });
    expect(first.master.failover.state).toBe('none');
    expect(first.saved.masters[0]).toMatchObject({ port: 7000, configEpoch: 2 });
    expect(textOf(first.effects, '+switch-master')).toMatch(
      /127\.0\.0\.1 700[12] 127\.0\.0\.1 7000$/,
    );
  });

  test('only watches for a while after the clock jumped', () => {
    const world = settled();
    world.unixOffset = 3_600_000;
    world.runFor(200);
    world.kill(world.nodes[0]!);
    world.runFor(20_000);
    for (const { events } of world.sentinels) expect(events).toEqual(['+tilt']);
    const [tilted] = world.sentinels;
    expect(tilted!.act((c) => failoverByOperator(c, tilted!.master, true))).toMatch(/^TILT /);
    world.runUntil(() => world.sentinels.every(isMoved));
    expect(world.sentinels[0]!.events).toContain('-tilt');
  });

  test('looks often at a replica that calls itself a master, and asks the master before it undoes that', () => {
    const world = settled({ sentinels: 1, quorum: 1 });
    const [first] = world.sentinels;
    const [master, replica] = [world.nodes[0]!, world.nodes[1]!];
    const known = [...first!.master.replicas.values()].find(({ address }) => address.port === 7001);
    replica.masterPort = undefined;
    world.runUntil(() => known!.reportedRole === 'master');
    replica.masterPort = 7000;
    world.runFor(2500);
    expect(known!.reportedRole).toBe('replica');
    // The two change places, and nobody says so.
    replica.masterPort = undefined;
    master.masterPort = 7001;
    world.runFor(9000);
    expect(first!.events).not.toContain('+convert-to-slave');
  });

  test('that was cut off learns of the new master when it is back', () => {
    const world = settled();
    const [, , last] = world.sentinels;
    world.isolate(last!);
    world.kill(world.nodes[0]!);
    world.runFor(10_000);
    expect(isMoved(last!)).toBe(false);
    world.heal();
    world.runUntil(() => isMoved(last!));
    expect(last!.events).toContain('+config-update-from');
  });
});

describe('operators', () => {
  test('fail over without votes, and not twice at once', () => {
    const world = settled();
    const [first] = world.sentinels;
    expect(first!.act((c) => failoverByOperator(c, first!.master, false))).toBeUndefined();
    expect(first!.act((c) => failoverByOperator(c, first!.master, false))).toBe(
      'INPROG Failover already in progress',
    );
    world.runUntil(() => world.sentinels.every(isMoved));
    expect(world.nodes.filter(({ masterPort }) => masterPort === undefined)).toHaveLength(2);
  });

  test('have the master hand over where it knows how', () => {
    const world = settled();
    const [first] = world.sentinels;
    first!.act((c) => failoverByOperator(c, first!.master, true));
    expect(flagsOf(first!.master)).toBe('master,failover_in_progress,coordinated_failover');
    world.runUntil(() => world.sentinels.every(isMoved));
    const [master, ...replicas] = world.nodes;
    expect(master!.commands.find((command) => command.startsWith('FAILOVER'))).toMatch(
      /^FAILOVER TO 127\.0\.0\.1 700[12] TIMEOUT 10000$/,
    );
    expect(master!.masterPort).toBe(first!.master.address.port);
    expect(replicas.flatMap(({ commands }) => commands)).not.toContain('SLAVEOF NO ONE');
    expect(first!.events).toContain('+failover-state-send-failover');
    // Its file still names the old master, which would be followed after a restart.
    const promoted = world.nodes.find(({ port }) => port === first!.master.address.port);
    expect(promoted!.commands).toContain('CONFIG REWRITE');
  });

  test('are told at once where the master knows no hand-over', () => {
    const world = settled();
    const [first] = world.sentinels;
    world.nodes[0]!.knowsFailover = false;
    world.runFor(11_000);
    expect(first!.act((c) => failoverByOperator(c, first!.master, true))).toBe(
      'NOGOODPRIMARY Primary does not support FAILOVER command',
    );
    expect(first!.master.failover.state).toBe('none');
    expect(first!.act((c) => failoverByOperator(c, first!.master, false))).toBeUndefined();
  });

  test('have a hand-over given up where the master refuses', () => {
    const world = settled();
    const [first] = world.sentinels;
    world.handOver = () => new ReplyError('ERR FAILOVER requires connected replicas.');
    first!.act((c) => failoverByOperator(c, first!.master, true));
    world.runFor(3000);
    expect(first!.events).toContain('-failover-abort-master-refused');
    expect(world.sentinels.some(isMoved)).toBe(false);
    expect(first!.master.failover.state).toBe('none');
  });

  test('add, change and reset masters', () => {
    const world = settled();
    const [first] = world.sentinels;
    const other = { name: 'other', host: '127.0.0.1', port: 7001, quorum: 1 };
    expect(first!.act((c) => monitor(c, other))).toBeUndefined();
    expect(first!.act((c) => monitor(c, other))).toBe('ERR Duplicate master name.');
    expect(textOf(first!.effects, '+monitor')).toBe('master other 127.0.0.1 7001 quorum 1');
    const facts = { isExecutable: () => true };
    const set = (...words: string[]): string | undefined =>
      first!.act((c) => setOptions(c, first!.master, words, facts));
    expect(set('quorum', '3', 'auth-pass', 'secret')).toBeUndefined();
    expect(set('parallel-syncs', '2', 'quorum', '0')).toBe(
      "ERR Invalid argument '0' for SENTINEL SET 'quorum'",
    );
    expect(first!.saved.masters[0]?.settings).toMatchObject({
      ...{ quorum: 3, parallelSyncs: 2, authPass: 'secret' },
    });
    first!.act((c) => reset(c, [first!.master]));
    expect([first!.master.replicas.size, first!.master.sentinels.size]).toEqual([0, 0]);
    world.settle();
  });
});
