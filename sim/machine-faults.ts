/** What may happen to computers and the network between them, whatever runs there. */
import type { Rng } from '../src/base/index.ts';
import type { CrashPoint, Machine } from './machine.ts';
import type { Network } from './network.ts';
import type { World } from './world.ts';

/** Where faults strike. */
export interface FaultGround {
  readonly world: World;
  readonly network: Network;
  readonly machines: readonly Machine[];
  /** Starts a machine that is off. */
  start(machine: Machine): void;
}

/** A kind of fault and how often it is drawn, relative to the others. */
export interface Weighted<K> {
  readonly kind: K;
  readonly weight: number;
}

const CRASH_POINTS: readonly CrashPoint[] = [
  'beforeReplace',
  'beforeReplace',
  'afterReplace',
  'beforeSend',
];
/** A crash point that is not reached in this time is given up. */
const CRASH_POINT_WAIT_MS = 3000;
const RESTART_MS_MAX = 6000;
const RESTART_POLL_MS = 500;
const HOUR_MS = 3_600_000;

export class MachineFaults {
  readonly #ground: FaultGround;
  readonly #rng: Rng;
  #isStopped = false;

  constructor(ground: FaultGround, rng: Rng) {
    this.#ground = ground;
    this.#rng = rng;
  }

  /** Nothing from now on, and nothing that was planned. */
  stop(): void {
    this.#isStopped = true;
  }

  later(delayMs: number, run: () => void): void {
    this.#ground.world.afterMs(delayMs, () => {
      if (!this.#isStopped) run();
    });
  }

  /** Strikes again and again, after pauses of less than `gapMsMax`. */
  repeat(gapMsMax: number, strike: () => void): void {
    this.later(this.#rng.below(gapMsMax), () => {
      strike();
      this.repeat(gapMsMax, strike);
    });
  }

  draw<K>(faults: readonly Weighted<K>[]): K {
    let at = this.#rng.below(faults.reduce((sum, { weight }) => sum + weight, 0));
    for (const { kind, weight } of faults) {
      if (at < weight) return kind;
      at -= weight;
    }
    return faults[0]!.kind;
  }

  anyMachine(): Machine {
    const { machines } = this.#ground;
    return machines[this.#rng.below(machines.length)]!;
  }

  /** Cuts some machines off from the others, for less than `msMax`. */
  partition(msMax: number): void {
    const { machines, network, world } = this.#ground;
    const side = machines.filter(() => this.#rng.below(3) === 0);
    const rest = machines.filter((machine) => !side.includes(machine));
    world.note('partition', side.length);
    network.separate(side, rest, this.#rng.below(4) === 0);
    this.later(this.#rng.below(msMax), () => network.heal());
  }

  /**
   * Ends a process or takes its power away, and starts it again later.
   * @param how `isAimed`: in the middle of what it does next, rather than at any moment; `mayRestart`: asked until it may
   */
  crash(
    machine: Machine,
    how: { readonly isAimed: boolean; readonly mayRestart: (machine: Machine) => boolean },
  ): void {
    if (!machine.isRunning) return;
    const kind = this.#rng.below(2) === 0 ? 'kill' : 'powerLoss';
    if (!how.isAimed && this.#rng.below(2) === 0) machine.crash(kind);
    else machine.crashAt(CRASH_POINTS[this.#rng.below(CRASH_POINTS.length)]!, kind);
    this.later(CRASH_POINT_WAIT_MS, () => machine.disarm());
    this.#restartLater(machine, this.#rng.below(RESTART_MS_MAX), how.mayRestart);
  }

  /** SIGSTOP for less than `msMax`. */
  pause(machine: Machine, msMax: number): void {
    machine.pause();
    this.later(this.#rng.below(msMax), () => machine.resume());
  }

  jumpClock(machine: Machine): void {
    machine.unixSkewMs += this.#rng.below(2 * HOUR_MS) - HOUR_MS;
  }

  #restartLater(
    machine: Machine,
    delayMs: number,
    mayRestart: (machine: Machine) => boolean,
  ): void {
    this.later(delayMs, () => {
      if (machine.isRunning) return;
      if (mayRestart(machine)) this.#ground.start(machine);
      else this.#restartLater(machine, RESTART_POLL_MS, mayRestart);
    });
  }
}
