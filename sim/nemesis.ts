/** Strikes the cluster with the faults of its swarm, at random moments, until it is told to stop. */
import { type Rng, assertNever } from '../src/base/index.ts';
import { AtomicMoves } from './atomic-moves.ts';
import type { ClusterSim } from './cluster-sim.ts';
import type { Machine } from './machine.ts';
import { MachineFaults } from './machine-faults.ts';
import { SlotMoves } from './slot-moves.ts';
import type { Fault, Swarm } from './swarm.ts';

/** Within this time most moves of a few keys are through. */
const IN_MOVE_MS = 120;
const HANDOVER_STEP = /^Slot migration .* is now (?:fencing|handing|ready|sharing|confirming)$/;
/** A message takes about this long. */
const HANDOVER_STEP_MS = 30;
const BROKEN_AT_ONCE = 8;

export class Nemesis {
  readonly counts: Map<Fault['kind'], number> = new Map<Fault['kind'], number>();
  readonly #sim: ClusterSim;
  readonly #swarm: Swarm;
  readonly #rng: Rng;
  readonly #faults: MachineFaults;
  readonly #moves: SlotMoves;
  readonly #atomic: AtomicMoves;
  #isStopped = false;

  constructor(sim: ClusterSim, swarm: Swarm) {
    this.#sim = sim;
    this.#swarm = swarm;
    this.#rng = sim.world.branch();
    this.#faults = new MachineFaults(sim, this.#rng);
    this.#moves = new SlotMoves(sim, this.#rng);
    this.#atomic = new AtomicMoves(sim, this.#rng);
    this.#faults.repeat(swarm.faultGapMsMax, () => this.#strike());
  }

  /** No fault from now on, and none that was planned. */
  stop(): void {
    this.#isStopped = true;
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
      case 'atomicMove':
        this.#atomic.moveOne();
        return;
      case 'cancelMoves':
        return this.#atomic.cancel();
      case 'crashInMove':
        return this.#inMove((machine) => this.#crash(machine, true));
      case 'pauseInMove':
        return this.#inMove((machine) =>
          this.#faults.pause(machine, this.#swarm.nodeTimeoutMs * 2),
        );
      case 'cutInMove':
        return this.#inMove(() => this.#faults.partition(this.#swarm.nodeTimeoutMs * 2));
      case 'strikeHandover':
        return this.#strikeHandover();
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

  /** Source or target is struck while the move is somewhere between its first word and its end. */
  #inMove(strike: (machine: Machine) => void): void {
    const machine = this.#atomic.moveOne();
    if (machine === undefined) return;
    this.#sim.world.afterMs(this.#rng.below(IN_MOVE_MS), () => {
      if (machine.isRunning && !this.#isStopped) strike(machine);
    });
  }

  /** Strikes when the next handover is at one of its steps, which last milliseconds. */
  #strikeHandover(): void {
    const sim = this.#sim;
    this.#atomic.moveOne();
    sim.onLog = (machine, text) => {
      if (!HANDOVER_STEP.test(text) || this.#rng.below(3) !== 0) return;
      sim.onLog = undefined;
      sim.world.afterMs(this.#rng.below(HANDOVER_STEP_MS), () => {
        if (machine.isRunning && !this.#isStopped) this.#strikeDown(machine);
      });
    };
  }

  #strikeDown(machine: Machine): void {
    const { machines, network } = this.#sim;
    const { kind, nodeTimeoutMs } = this.#swarm;
    const rest = machines.filter((other) => other !== machine);
    // Without failovers nobody may be silent for so long that it is held for failing.
    const ms = this.#rng.below(kind === 'moves' ? nodeTimeoutMs * 0.85 : nodeTimeoutMs * 3);
    switch (this.#rng.below(kind === 'moves' ? 4 : 6)) {
      case 0:
        network.separate([machine], rest, this.#rng.below(2) === 0);
        return this.#faults.later(ms, () => network.heal());
      case 1:
        // Deaf, but heard; and its connections for data break.
        network.separate(rest, [machine], true);
        for (let i = 0; i < BROKEN_AT_ONCE; i++) network.breakOne('data');
        return this.#faults.later(ms, () => network.heal());
      case 2:
        for (let i = 0; i < BROKEN_AT_ONCE; i++) network.breakOne('data');
        return;
      case 3:
        return this.#faults.pause(machine, ms + 1);
      default:
        return this.#crash(machine, true);
    }
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
