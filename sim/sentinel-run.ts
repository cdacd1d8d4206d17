/** One seed of a world with Sentinels, from its first event to its verdict. */
import type { SentinelRules } from '../src/sentinel/index.ts';
import { replyText } from './client.ts';
import { judgeValue } from './data-check.ts';
import type { SeedResult } from './seed-run.ts';
import { SentinelNemesis, absenceMsMax } from './sentinel-nemesis.ts';
import { SentinelSim } from './sentinel-sim.ts';
import { type SentinelSwarm, drawSentinelSwarm } from './sentinel-swarm.ts';

export interface SentinelSeedOptions {
  readonly rules?: SentinelRules;
  readonly isDiskForgetful?: boolean;
  readonly log?: (line: string) => void;
  /** Changes what the seed stands for. */
  readonly adjust?: (swarm: SentinelSwarm) => SentinelSwarm;
}

/** Time to find each other, by hello and by INFO. */
const START_MS = 25_000;
/** Time to agree after healing: TILT ends, failovers come to their end or are tried again, replicas are put right. */
const CONVERGE_MS = 300_000;
/** Time for every writer to go on after healing. */
const WRITE_MS = 15_000;
/** Time for what is on its way to reach the replicas. */
const SETTLE_MS = 5000;

export function runSentinelSeed(seed: number, options: SentinelSeedOptions = {}): SeedResult {
  const drawn = drawSentinelSwarm(seed);
  const swarm = options.adjust?.(drawn) ?? drawn;
  options.log?.(JSON.stringify(swarm));
  const { adjust: _, ...given } = options;
  const sim = new SentinelSim({ ...swarm, ...given, lateMsMax: absenceMsMax(swarm) });
  const { checker, world } = sim;
  world.run(START_MS);
  const nemesis = new SentinelNemesis(sim, swarm);
  world.runUntil(() => checker.violations.length > 0, swarm.stormMs);
  nemesis.stop();
  if (checker.violations.length === 0) recover(sim, swarm);
  return {
    seed,
    kind: swarm.kind,
    violations: checker.violations,
    traceHash: world.trace.text,
    nodes: sim.machines.length,
    events: world.eventCount,
    simMs: world.nowMs,
    acknowledgedWrites: sim.writers.reduce((sum, writer) => sum + writer.acknowledgedCount, 0),
    elections: checker.leaders.size,
    faults: nemesis.count,
  };
}

/** Everything heals; Sentinels and nodes agree, the writers go on, the data is what was promised. */
function recover(sim: SentinelSim, swarm: SentinelSwarm): void {
  sim.heal();
  const why = sim.converge(CONVERGE_MS);
  if (why !== undefined) return sim.checker.violate('notConverged', why);
  const before = sim.writers.map((writer) => writer.acknowledgedCount);
  const goesOn = sim.world.runUntil(
    () => sim.writers.every((writer, index) => writer.acknowledgedCount > before[index]!),
    WRITE_MS,
  );
  if (!goesOn) sim.checker.violate('notWriting', 'a writer got no write acknowledged');
  for (const writer of sim.writers) writer.stop();
  sim.world.run(SETTLE_MS);
  // Where nothing was ODOWN all failovers were coordinated ones.
  checkValues(sim, swarm.kind === 'calm' && sim.checker.odownCount === 0);
}

/** Compares what all nodes hold with what the writers know. */
function checkValues(sim: SentinelSim, keepsAcknowledged: boolean): void {
  const histories = sim.writers.flatMap((writer) => writer.histories);
  for (const machine of sim.nodes) {
    const replies = sim.operator.ask(histories.map(({ key }) => ({ machine, args: ['GET', key] })));
    for (const [index, history] of histories.entries()) {
      const reply = replies[index];
      if (reply !== null && !Buffer.isBuffer(reply)) {
        const text = `${machine.name} answers ${replyText(reply)} for ${history.key}`;
        return sim.checker.violate('notConverged', text);
      }
      const value = reply === null ? undefined : reply.toString('latin1');
      const findings = judgeValue(history, value, { keepsAcknowledged, keepsReplicated: false });
      for (const { rule, text } of findings) {
        sim.checker.violate(rule, `${machine.name}: ${text}`);
      }
    }
  }
}
