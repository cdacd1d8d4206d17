/** Strikes the cluster with the faults of its swarm, at random moments, until it is told to stop. */
import { type Rng, assertNever } from '../src/base/index.ts';
import type { ClusterSim } from './cluster-sim.ts';
import type { Machine } from './machine.ts';
import { MachineFaults } from './machine-faults.ts';
import { SlotMoves } from './slot-moves.ts';
import type { Fault, Swarm } from './swarm.ts';

export class Nemesis {
  readonly counts: Map<Fault['kind'], number> = new Map<Fault['kind'], number>();
  readonly #sim: ClusterSim;
  readonly #swarm: Swarm;
  readonly #rng: Rng;
  readonly #faults: MachineFaults;
  readonly #moves: SlotMoves;

  constructor(sim: ClusterSim, swarm: Swarm) {
    this.#sim = sim;
    this.#swarm = swarm;
    this.#rng = sim.world.branch();
    this.#faults = new MachineFaults(sim, this.#rng);
    this.#moves = new SlotMoves(sim, this.#rng);
    this.#faults.repeat(swarm.faultGapMsMax, () => this.#strike());
  }

  /** No fault from now on, and none that was planned. */
  stop(): void {
    this.#faults.stop();
  }

  #strike(): void {
    const kind = this.#faults.draw(this.#swarm.faults);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    switch (kind) {
      case 'partition':
        return this.#faults.partition(this.#swarm.nodeTimeoutMs * 4);
      case 'crash':
        return this.#crash(this.#faults.anyMachine(), false);
      case 'crashInFailover':
        return this.#crashInFailover();
      case 'pause':
        return this.#faults.pause(this.#faults.anyMachine(), this.#swarm.nodeTimeoutMs * 4);
      case 'clockJump':
        return this.#faults.jumpClock(this.#faults.anyMachine());
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

  #crash(machine: Machine, isAimed: boolean): void {
    const { isRestartCareful } = this.#swarm;
    this.#faults.crash(machine, {
      isAimed,
      mayRestart: (stopped) => !isRestartCareful || this.#sim.checker.isReplaced(stopped),
    });
  }

  /** Candidate, voter or bystander ends in the middle of its part. */
  #crashInFailover(): void {
    const candidate = this.#failover([]);
    const isCandidate = candidate !== undefined && this.#rng.below(2) === 0;
    this.#crash(isCandidate ? candidate : this.#faults.anyMachine(), true);
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
}
