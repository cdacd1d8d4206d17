/** What a seed stands for: the size of the cluster, the weather, and which faults may strike, all drawn from it. */
import { type Rng, seededRng } from '../src/base/index.ts';
import type { Weather } from './network.ts';

export type FailoverMode = 'coordinated' | 'force' | 'takeover';

/**
 * `calm`: coordinated failovers only, under delay, stalls and cut connections; then no acknowledged write is lost.
 * `storm`: partitions, crashes, stops and clock jumps beside them.
 * `reshard`: slots move between masters, several at once, so that epochs taken without votes collide; no failovers.
 * `moves`: slots that are written to move as a whole, under cut connections, partitions and stops; a seed in which no node
 * is held for failing loses no acknowledged write. `moveStorm`: crashes and failovers beside them.
 * `operator`: FORCE and TAKEOVER beside crashes, but no partitions; `SafetyChecker` says why.
 */
export type SwarmKind = 'calm' | 'storm' | 'operator' | 'reshard' | 'moves' | 'moveStorm';

export interface Fault {
  readonly kind:
    | 'partition'
    | 'crash'
    | 'crashInFailover'
    | 'pause'
    | 'clockJump'
    | 'breakBus'
    | 'breakData'
    | 'coordinatedAtOnce'
    | 'moveSlots'
    | 'atomicMove'
    | 'cancelMoves'
    | 'crashInMove'
    | 'pauseInMove'
    | 'cutInMove'
    | 'strikeHandover'
    | FailoverMode;
  /** Relative frequency. */
  readonly weight: number;
}

export interface Swarm {
  readonly seed: number;
  readonly kind: SwarmKind;
  readonly masters: number;
  readonly replicasPerMaster: number;
  readonly nodeTimeoutMs: number;
  readonly writers: number;
  readonly thinkMsMax: number;
  readonly weather: Weather;
  readonly faults: readonly Fault[];
  /** Longest time between two faults, ms, exclusive. */
  readonly faultGapMsMax: number;
  /** How long faults strike, ms. */
  readonly stormMs: number;
  /**
   * Whether a crashed master stays off until a replica took its place. A node keeps its data in memory only, so a
   * master that comes back before that takes everyone's data with it, here as with Redis.
   */
  readonly isRestartCareful: boolean;
}

/** Each as often as it stands here. */
const KINDS: readonly SwarmKind[] = [
  'calm',
  'calm',
  'storm',
  'storm',
  'storm',
  'storm',
  'operator',
  'reshard',
];

/** The fault without which a kind would prove nothing. */
const ESSENTIAL: Readonly<Partial<{ [K in SwarmKind]: Fault['kind'] }>> = {
  calm: 'coordinated',
  reshard: 'moveSlots',
  moves: 'atomicMove',
  moveStorm: 'atomicMove',
};

const MOVE_KINDS: readonly SwarmKind[] = ['moves', 'moveStorm'];

/** The swarm of a seed. */
export function drawSwarm(seed: number): Swarm {
  return drawOf(seed, KINDS);
}

/** The swarm of a seed in which slots move atomically. */
export function drawMoveSwarm(seed: number): Swarm {
  return drawOf(seed, MOVE_KINDS);
}

function drawOf(seed: number, choices: readonly SwarmKind[]): Swarm {
  // A generator of its own: the world draws from the same seed another way.
  const rng = seededRng(seed ^ 0x5107);
  const kind = pick(rng, choices);
  const masters = 3 + pick(rng, [0, 0, 0, 1, 2]);
  const replicasPerMaster = kind === 'calm' ? pick(rng, [1, 1, 2]) : pick(rng, [0, 1, 1, 1, 2]);
  // A calm cluster sees no false alarm: its time-out is far above its delays.
  const isCalm = kind === 'calm' || kind === 'reshard' || kind === 'moves';
  const nodeTimeoutMs = isCalm ? 3000 + rng.below(2000) : 500 + rng.below(1500);
  return {
    seed,
    kind,
    masters,
    replicasPerMaster,
    nodeTimeoutMs,
    writers: 1 + rng.below(3),
    thinkMsMax: pick(rng, [20, 50, 200]),
    weather: drawWeather(rng),
    faults: drawFaults(rng, kind),
    faultGapMsMax: pick(rng, [500, 1500, 4000]),
    stormMs: 6000 + rng.below(10_000),
    isRestartCareful: rng.below(3) > 0,
  };
}

/** How the network is; replication may lag far behind. */
export function drawWeather(rng: Rng): Weather {
  return {
    delayMinUs: pick(rng, [50, 500, 5000]),
    jitterUs: pick(rng, [100, 2000, 30_000]),
    replicationLagUs: pick(rng, [0, 0, 20_000, 300_000]),
    stallOneIn: pick(rng, [0, 0, 500, 100]),
    splitOneIn: pick(rng, [0, 10, 3]),
  };
}

/** Each fault is in or out as a whole, so that some seeds show one alone and others all at once. */
function drawFaults(rng: Rng, kind: SwarmKind): Fault[] {
  const possible: readonly Fault['kind'][] = {
    calm: ['coordinated', 'coordinatedAtOnce', 'breakBus', 'breakData', 'clockJump'] as const,
    storm: [
      'partition',
      'crash',
      'pause',
      'clockJump',
      'breakBus',
      'breakData',
      'coordinated',
      'coordinatedAtOnce',
      'crashInFailover',
    ] as const,
    operator: [
      'crash',
      'crashInFailover',
      'breakBus',
      'breakData',
      'coordinated',
      'force',
      'takeover',
    ] as const,
    reshard: ['moveSlots', 'breakBus', 'breakData', 'clockJump'] as const,
    moves: [
      'atomicMove',
      'cancelMoves',
      'pauseInMove',
      'cutInMove',
      'strikeHandover',
      'breakBus',
      'breakData',
      'clockJump',
    ] as const,
    moveStorm: [
      'atomicMove',
      'cancelMoves',
      'crashInMove',
      'pauseInMove',
      'cutInMove',
      'strikeHandover',
      'partition',
      'crash',
      'pause',
      'breakBus',
      'breakData',
      'coordinated',
    ] as const,
  }[kind];
  const chosen = possible.filter(() => rng.below(2) === 0);
  const kinds = chosen.length === 0 ? [possible[0]!] : chosen;
  const certain = ESSENTIAL[kind];
  if (certain !== undefined && !kinds.includes(certain)) kinds.push(certain);
  return kinds.map((fault) => ({
    kind: fault,
    weight: (fault === 'atomicMove' ? 4 : 1) + rng.below(4),
  }));
}

/** One of the choices; each as often as it stands there. */
export function pick<T>(rng: Rng, choices: readonly T[]): T {
  return choices[rng.below(choices.length)]!;
}
