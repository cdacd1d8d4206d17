/** Goal: watching many masters is cheap, and nothing is noticed late. Method: when Sentinels send and when they look. */
import { expect, test } from 'vitest';
import { monoMs, seededRng, unixMs } from '../base/index.ts';
import { defaultSentinelSettings } from '../config/index.ts';
import { beatOf, nextAt } from './beats.ts';
import { SentinelContext } from './context.ts';
import { redisRules } from './rules.ts';
import { TestWorld } from './test-world.ts';

/** One whose own clock has any value, while all share the wall clock. */
function contextAt(mono: number, unix: number): SentinelContext {
  return new SentinelContext({
    ...{ rng: seededRng(1), rules: redisRules, myId: undefined, currentEpoch: 0, port: 26_379 },
    ...{ settings: defaultSentinelSettings(), requirepass: '', resolved: new Map() },
    now: { mono: monoMs(mono), unix: unixMs(unix) },
  });
}

test('the moments are the same for all Sentinels, a period apart, and never at once', () => {
  const beat = beatOf({ hostname: 'a', ip: '10.0.0.1', port: 6379 });
  for (const periodMs of [300, 1000, 2000]) {
    const moments = new Set<number>();
    for (let unix = 5_000_000; unix < 5_010_000; unix += 7) {
      const mono = unix * 3;
      const wait = nextAt(contextAt(mono, unix), beat, periodMs) - mono;
      expect(wait).toBeGreaterThanOrEqual(periodMs / 2);
      expect(wait).toBeLessThan(periodMs * 1.5);
      moments.add((unix + wait) % periodMs);
    }
    expect(moments.size).toBe(1);
  }
});

test('instances are parted among the moments', () => {
  const beats = Array.from({ length: 100 }, (_, i) =>
    beatOf({ hostname: '', ip: `10.0.0.${i}`, port: 6379 }),
  );
  for (const beat of new Set(beats)) {
    expect(beats.filter((one) => one === beat).length).toBeLessThan(50);
  }
});

test('looks are rare while all is well, and frequent as soon as something is not', () => {
  const world = new TestWorld({});
  world.settle();
  const { machine } = world.sentinels[0]!;
  const longestMs = (ms: number): number => {
    let longest = 0;
    let last = world.time;
    const end = world.time + ms;
    world.runUntil(() => {
      longest = Math.max(longest, world.time - last);
      last = world.time;
      return world.time >= end;
    });
    return longest;
  };
  expect(machine.nextWake() - world.time).toBeLessThanOrEqual(250);
  expect(longestMs(3000)).toBeGreaterThan(100);
  world.kill(world.nodes[0]!);
  expect(longestMs(900)).toBeLessThanOrEqual(100);
});
