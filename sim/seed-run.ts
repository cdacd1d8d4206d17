/** One seed from its first event to its verdict. */
import type { ClusterRules } from '../src/cluster/index.ts';
import { type ClusterSim, createClusterSim } from './cluster-sim.ts';
import { checkData } from './data-check.ts';
import { Nemesis } from './nemesis.ts';
import type { Violation } from './safety-checker.ts';
import { type Swarm, drawMoveSwarm, drawSwarm } from './swarm.ts';

export interface SeedResult {
  readonly seed: number;
  /** Of its swarm. */
  readonly kind: string;
  readonly violations: readonly Violation[];
  /** Equal for two runs of one seed. */
  readonly traceHash: string;
  readonly nodes: number;
  readonly events: number;
  readonly simMs: number;
  readonly acknowledgedWrites: number;
  readonly elections: number;
  readonly faults: number;
}

export interface SeedOptions {
  readonly rules?: ClusterRules;
  readonly log?: (line: string) => void;
}

/** Time for the first slots to be served. */
const START_MS = 10_000;
/** Time for every writer to go on after healing. */
const WRITE_MS = 15_000;

export function runSeed(seed: number, options: SeedOptions = {}): SeedResult {
  return runSwarm(drawSwarm(seed), options);
}

/** A seed of atomic moves of slots. */
export function runMoveSeed(seed: number, options: SeedOptions = {}): SeedResult {
  return runSwarm(drawMoveSwarm(seed), options);
}

function runSwarm(swarm: Swarm, options: SeedOptions): SeedResult {
  const { seed } = swarm;
  const sim = createClusterSim({ ...swarm, ...options });
  options.log?.(JSON.stringify(swarm));
  sim.world.run(START_MS / 4);
  const nemesis = new Nemesis(sim, swarm);
  storm(sim, swarm);
  nemesis.stop();
  // A node that broke a rule may be in any state; what it does afterwards says nothing more.
  if (sim.checker.violations.length === 0) recover(sim, swarm);
  return {
    seed,
    kind: swarm.kind,
    violations: sim.checker.violations,
    traceHash: sim.world.trace.text,
    nodes: sim.machines.length,
    events: sim.world.eventCount,
    simMs: sim.world.nowMs,
    acknowledgedWrites: sim.writers.reduce((sum, writer) => sum + writer.acknowledgedCount, 0),
    elections: sim.checker.elected.size,
    faults: [...nemesis.counts.values()].reduce((sum, count) => sum + count, 0),
  };
}

/** Phase one: faults strike, and safety holds at every step. */
function storm(sim: ClusterSim, swarm: Swarm): void {
  const { violations } = sim.checker;
  sim.world.runUntil(() => violations.length > 0, swarm.stormMs);
}

/** Phase two: everything heals; the cluster agrees, the writers go on, the data is what was promised. */
function recover(sim: ClusterSim, swarm: Swarm): void {
  sim.heal();
  if (!sim.converge()) {
    const why = sim.disagreement(sim.operator.views(sim.machines)) ?? 'it came too late';
    sim.checker.violate('notConverged', why);
    return;
  }
  const before = sim.writers.map((writer) => writer.acknowledgedCount);
  const goesOn = sim.world.runUntil(
    () => sim.writers.every((writer, index) => writer.acknowledgedCount > before[index]!),
    WRITE_MS,
  );
  if (!goesOn) sim.checker.violate('notWriting', 'a writer got no write acknowledged');
  for (const writer of sim.writers) writer.stop();
  checkData(sim, {
    keepsAcknowledged:
      ['calm', 'reshard', 'moves'].includes(swarm.kind) && sim.checker.failureCount === 0,
    keepsReplicated: swarm.kind !== 'operator' && !sim.hasLostMemory,
  });
}
