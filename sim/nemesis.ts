/** Strikes the cluster with the faults of its swarm, at random moments, until it is told to stop. */
import { type Rng, assertNever } from '../src/base/index.ts';
import type { ClusterSim } from './cluster-sim.ts';
import type { CrashPoint, Machine } from './machine.ts';
import { SlotMoves } from './slot-moves.ts';
import type { Fault, Swarm } from './swarm.ts';

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

export class Nemesis {
  readonly counts: Map<Fault['kind'], number> = new Map<Fault['kind'], number>();
  readonly #sim: ClusterSim;
  readonly #swarm: Swarm;
  readonly #rng: Rng;
  readonly #moves: SlotMoves;
  #isStopped = false;

  constructor(sim: ClusterSim, swarm: Swarm) {
    this.#sim = sim;
    this.#swarm = swarm;
    this.#rng = sim.world.branch();
    this.#moves = new SlotMoves(sim, this.#rng);
    this.#plan();
  }

  /** No fault from now on, and none that was planned. */
  stop(): void {
    this.#isStopped = true;
  }

  #plan(): void {
    this.#later(this.#rng.below(this.#swarm.faultGapMsMax), () => {
      this.#strike();
      this.#plan();
    });
  }

  #later(delayMs: number, run: () => void): void {
    this.#sim.world.afterMs(delayMs, () => {
      if (!this.#isStopped) run();
    });
  }

  #strike(): void {
    const kind = this.#drawFault();
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    switch (kind) {
      case 'partition':
        return this.#partition();
      case 'crash':
        return this.#crash(this.#anyMachine(), false);
      case 'crashInFailover':
        return this.#crashInFailover();
      case 'pause':
        return this.#pause(this.#anyMachine());
      case 'clockJump':
        this.#anyMachine().unixSkewMs += this.#rng.below(2 * HOUR_MS) - HOUR_MS;
        return;
      case 'breakBus':
        return this.#sim.network.breakOne('bus');
      case 'breakData':
        return this.#sim.network.breakOne('data');
      case 'coordinated':
        this.#failover([]);
        return;
      case 'coordinatedAtOnce':
        // Candidates of several shards, or two of one, ask for votes in the same epoch.
        for (let count = 2 + this.#rng.below(2); count > 0; count--) this.#failover([]);
        return;
      case 'moveSlots':
        for (let count = 1 + this.#rng.below(3); count > 0; count--) this.#moves.moveOne();
        return;
      case 'force':
        this.#failover(['FORCE']);
        return;
      case 'takeover':
        this.#failover(['TAKEOVER']);
        return;
      default:
        return assertNever(kind);
    }
  }

  #drawFault(): Fault['kind'] {
    const { faults } = this.#swarm;
    let at = this.#rng.below(faults.reduce((sum, { weight }) => sum + weight, 0));
    for (const { kind, weight } of faults) {
      if (at < weight) return kind;
      at -= weight;
    }
    return faults[0]!.kind;
  }

  #partition(): void {
    const { machines, network } = this.#sim;
    const side = machines.filter(() => this.#rng.below(3) === 0);
    const rest = machines.filter((machine) => !side.includes(machine));
    this.#sim.world.note('partition', side.length);
    network.separate(side, rest, this.#rng.below(4) === 0);
    this.#later(this.#rng.below(this.#swarm.nodeTimeoutMs * 4), () => network.heal());
  }

  /** @param isAimed in the middle of what it does next, rather than at any moment */
  #crash(machine: Machine, isAimed: boolean): void {
    if (!machine.isRunning) return;
    const kind = this.#rng.below(2) === 0 ? 'kill' : 'powerLoss';
    if (!isAimed && this.#rng.below(2) === 0) machine.crash(kind);
    else machine.crashAt(CRASH_POINTS[this.#rng.below(CRASH_POINTS.length)]!, kind);
    this.#later(CRASH_POINT_WAIT_MS, () => machine.disarm());
    this.#restartLater(machine, this.#rng.below(RESTART_MS_MAX));
  }

  /** Candidate, voter or bystander ends in the middle of its part. */
  #crashInFailover(): void {
    const candidate = this.#failover([]);
    const isCandidate = candidate !== undefined && this.#rng.below(2) === 0;
    this.#crash(isCandidate ? candidate : this.#anyMachine(), true);
  }

  #restartLater(machine: Machine, delayMs: number): void {
    this.#later(delayMs, () => {
      if (machine.isRunning) return;
      const { checker } = this.#sim;
      if (this.#swarm.isRestartCareful && !checker.isReplaced(machine)) {
        return this.#restartLater(machine, RESTART_POLL_MS);
      }
      this.#sim.start(machine);
    });
  }

  #pause(machine: Machine): void {
    machine.pause();
    this.#later(this.#rng.below(this.#swarm.nodeTimeoutMs * 4), () => machine.resume());
  }

  #failover(how: readonly string[]): Machine | undefined {
    const { machines, checker, operator } = this.#sim;
    const replicas = machines.filter(
      (machine) => machine.isRunning && checker.roleOf(machine) === 'replica',
    );
    if (replicas.length === 0) return undefined;
    const replica = replicas[this.#rng.below(replicas.length)]!;
    this.#sim.world.note(`failover ${replica.name}`, how.length);
    // The answer promises nothing; what follows shows on the bus.
    operator.send(replica, ['CLUSTER', 'FAILOVER', ...how], () => undefined);
    return replica;
  }

  #anyMachine(): Machine {
    const { machines } = this.#sim;
    return machines[this.#rng.below(machines.length)]!;
  }
}
