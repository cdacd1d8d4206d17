/** Strikes Sentinels and nodes with the faults of their swarm, at random moments, until it is told to stop. */
import { type Rng, assertNever } from '../src/base/index.ts';
import type { Machine } from './machine.ts';
import { MachineFaults } from './machine-faults.ts';
import type { SentinelSim } from './sentinel-sim.ts';
import type { SentinelFault, SentinelSwarm } from './sentinel-swarm.ts';

const DISK_FULL_MS_MAX = 6000;

/** How long a partition lasts or a process is stopped at most: long enough for a failover meanwhile. */
export function absenceMsMax(swarm: Pick<SentinelSwarm, 'downAfterMs'>): number {
  return swarm.downAfterMs * 4 + 4000;
}

export class SentinelNemesis {
  readonly #sim: SentinelSim;
  readonly #swarm: SentinelSwarm;
  readonly #rng: Rng;
  readonly #faults: MachineFaults;
  count = 0;

  constructor(sim: SentinelSim, swarm: SentinelSwarm) {
    this.#sim = sim;
    this.#swarm = swarm;
    this.#rng = sim.world.branch();
    this.#faults = new MachineFaults(sim, this.#rng);
    this.#faults.repeat(swarm.faultGapMsMax, () => this.#strike(this.#faults.draw(swarm.faults)));
  }

  /** No fault from now on, and none that was planned. */
  stop(): void {
    this.#faults.stop();
  }

  #strike(kind: SentinelFault): void {
    this.count++;
    const { network } = this.#sim;
    switch (kind) {
      case 'partition':
        return this.#faults.partition(absenceMsMax(this.#swarm));
      case 'crash':
        return this.#faults.crash(this.#faults.anyMachine(), {
          isAimed: false,
          mayRestart: () => true,
        });
      case 'pause':
        return this.#faults.pause(this.#faults.anyMachine(), absenceMsMax(this.#swarm));
      case 'clockJump':
        return this.#faults.jumpClock(this.#faults.anyMachine());
      case 'diskFull':
        return this.#fillDisk(this.#anySentinel());
      case 'breakLink':
        return network.breakOne('client');
      case 'breakData':
        return network.breakOne('data');
      case 'coordinated':
        return this.#sim.failover(this.#anySentinel(), ['COORDINATED']);
      case 'forced':
        return this.#sim.failover(this.#anySentinel(), []);
      default:
        return assertNever(kind);
    }
  }

  #fillDisk(machine: Machine): void {
    machine.files.failure = 'No space left on device';
    this.#faults.later(this.#rng.below(DISK_FULL_MS_MAX), () => {
      machine.files.failure = undefined;
    });
  }

  #anySentinel(): Machine {
    const { sentinels } = this.#sim;
    return sentinels[this.#rng.below(sentinels.length)]!;
  }
}
