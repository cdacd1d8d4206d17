/** Goal: programs of the user hear of warnings and are tried again. Method: one Sentinel in virtual time. */
import { expect, test } from 'vitest';
import type { Effect } from './effects.ts';
import { type TestSentinel, TestWorld } from './test-world.ts';

const RETRY_MS = 300;

type Run = Extract<Effect, { readonly kind: 'runScript' }>;

function runs({ effects }: TestSentinel): readonly Run[] {
  return effects.filter((effect): effect is Run => effect.kind === 'runScript');
}

/** One Sentinel that alone decides, with a script for its events. */
function watched(): { readonly world: TestWorld; readonly sentinel: TestSentinel } {
  const world = new TestWorld({ sentinels: 1, quorum: 1 });
  world.settle();
  const [sentinel] = world.sentinels;
  sentinel!.master.settings.notificationScript = '/bin/notify';
  sentinel!.master.settings.clientReconfigScript = '/bin/reconfigure';
  return { world, sentinel: sentinel! };
}

test('a failover is told to both scripts', () => {
  const { world, sentinel } = watched();
  world.kill(world.nodes[0]!);
  world.runUntil(() => sentinel.events.includes('+switch-master'));
  world.runFor(200);
  const told = runs(sentinel).map(({ path, args }) => `${path} ${args.join(' ')}`);
  expect(told).toContain('/bin/notify +sdown master mymaster 127.0.0.1 7000');
  expect(told).toContain('/bin/notify +new-epoch 1');
  expect(told).toContain('/bin/notify +switch-master mymaster 127.0.0.1 7000 127.0.0.1 7001');
  expect(told.filter((line) => line.startsWith('/bin/reconfigure'))).toEqual([
    '/bin/reconfigure mymaster leader start 127.0.0.1 7000 127.0.0.1 7001',
  ]);
});

test('a script that asks for it is tried again, ever later, and given up in the end', () => {
  const { world, sentinel } = watched();
  sentinel.context.periods.scriptRetryDelay = RETRY_MS;
  sentinel.act((c) => c.schedule('/bin/notify', ['+x', 'y']));
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 10; attempt++) {
    const before = world.time;
    world.runUntil(() => runs(sentinel).length === attempt, 600 * RETRY_MS);
    waits.push(Math.floor((world.time - before) / RETRY_MS));
    sentinel.step({ kind: 'scriptEnded', id: runs(sentinel).at(-1)!.id, exitCode: 1 });
  }
  expect(waits).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 128, 256]);
  expect(sentinel.events).toContain('-script-error');
  expect(sentinel.context.scripts).toEqual([]);
});

test('a script that runs for too long is killed', () => {
  const { world, sentinel } = watched();
  sentinel.context.periods.scriptMaxRuntime = 1000;
  const before = world.time;
  sentinel.act((c) => c.schedule('/bin/notify', ['+x', 'y']));
  world.runUntil(() => sentinel.effects.some(({ kind }) => kind === 'killScript'));
  expect(world.time - before).toBeGreaterThan(1000);
  expect(sentinel.events).toContain('-script-timeout');
});
