/** What a seed stands for where Sentinels look after one master: sizes, periods, the weather and the faults. */
import { type Rng, seededRng } from '../src/base/index.ts';
import type { Weighted } from './machine-faults.ts';
import type { Weather } from './network.ts';
import { drawWeather, pick } from './swarm.ts';

/**
 * `calm`: coordinated failovers only, under delay, stalls, cut connections and clock jumps; no acknowledged write is lost.
 * `storm`: partitions, crashes, stops and full disks beside them.
 * `operator`: failovers that operators force without votes, beside crashes.
 */
export type SentinelSwarmKind = 'calm' | 'storm' | 'operator';

export type SentinelFault =
  | 'partition'
  | 'crash'
  | 'pause'
  | 'clockJump'
  | 'diskFull'
  | 'breakLink'
  | 'breakData'
  | 'coordinated'
  | 'forced';

export interface SentinelSwarm {
  readonly seed: number;
  readonly kind: SentinelSwarmKind;
  readonly replicas: number;
  readonly sentinels: number;
  readonly quorum: number;
  readonly downAfterMs: number;
  readonly failoverTimeoutMs: number;
  readonly writers: number;
  readonly thinkMsMax: number;
  readonly weather: Weather;
  readonly faults: readonly Weighted<SentinelFault>[];
  /** Longest time between two faults, ms, exclusive. */
  readonly faultGapMsMax: number;
  /** How long faults strike, ms. */
  readonly stormMs: number;
}

const KINDS: readonly SentinelSwarmKind[] = ['calm', 'calm', 'storm', 'storm', 'storm', 'operator'];

const POSSIBLE: Readonly<Record<SentinelSwarmKind, readonly SentinelFault[]>> = {
  calm: ['coordinated', 'breakLink', 'breakData', 'clockJump'],
  storm: [
    ...(['crash', 'partition', 'pause', 'clockJump', 'diskFull'] as const),
    ...(['breakLink', 'breakData', 'coordinated'] as const),
  ],
  operator: ['forced', 'crash', 'breakLink', 'breakData', 'coordinated'],
};

/** The swarm of a seed. */
export function drawSentinelSwarm(seed: number): SentinelSwarm {
  const rng = seededRng(seed ^ 0x5e47);
  const kind = pick(rng, KINDS);
  const sentinels = pick(rng, [3, 3, 3, 5]);
  const isCalm = kind === 'calm';
  return {
    seed,
    kind,
    replicas: 1 + rng.below(3),
    sentinels,
    quorum: pick(rng, [2, 2, Math.floor(sentinels / 2) + 1, sentinels]),
    // A calm world sees no false alarm: its time-out is far above its delays.
    downAfterMs: isCalm ? 4000 + rng.below(4000) : 500 + rng.below(2500),
    failoverTimeoutMs: pick(rng, [2000, 5000, 15_000]),
    writers: 1 + rng.below(3),
    thinkMsMax: pick(rng, [20, 50, 200]),
    weather: drawWeather(rng),
    faults: drawFaults(rng, kind),
    faultGapMsMax: pick(rng, [1000, 4000, 10_000]),
    stormMs: 15_000 + rng.below(30_000),
  };
}

/** Each fault is in or out as a whole, but the first of its kind, without which it would prove nothing. */
function drawFaults(rng: Rng, kind: SentinelSwarmKind): Weighted<SentinelFault>[] {
  const chosen = POSSIBLE[kind].filter((_fault, index) => index === 0 || rng.below(2) === 0);
  return chosen.map((fault) => ({ kind: fault, weight: 1 + rng.below(4) }));
}
