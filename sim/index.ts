/**
 * A seeded virtual world around whole nodes.
 *
 * How the simulator works. `World` is a queue of events and one generator of chance; nothing else moves time. `Machine`
 * is a computer with one real node on it, given virtual ports: `Network` and `SimWire` (connections that delay, stall,
 * cut and break as TCP does), `SimFiles` (a disk that forgets what was not synced), a clock and an alarm. `Writer`s are
 * clients with a memory of what was promised to them. `Nemesis` strikes with the faults that `drawSwarm` drew from the
 * seed. `BusObserver` reads along on the cluster bus, and `SafetyChecker` judges every packet the moment it is said or
 * heard; after healing, `ClusterSim.converge` and `checkData` judge liveness and data. A seed is one history, so a
 * failure is replayed with `npm run sim -- --seed N --verbose`. That the checkers see is itself a test: each rule of the
 * cluster is broken on purpose in `planted-faults.test.ts`, and must be noticed.
 *
 * `SentinelSim` is another world of the same parts: one master, replicas, Sentinels and clients that ask them.
 * `SentinelObserver` reads along where Sentinels talk, `SentinelChecker` judges, `SentinelNemesis` strikes.
 */
export {
  type ClusterSim,
  type ClusterSimOptions,
  createClusterSim,
  violationText,
} from './cluster-sim.ts';
export { type CrashKind } from './files.ts';
export { type CrashPoint, Machine } from './machine.ts';
export { FAIR_WEATHER, type Weather } from './network.ts';
export type { Violation } from './safety-checker.ts';
export { type SeedOptions, type SeedResult, runMoveSeed, runSeed } from './seed-run.ts';
export { type SentinelSeedOptions, runSentinelSeed } from './sentinel-run.ts';
export { type SentinelSwarm, drawSentinelSwarm } from './sentinel-swarm.ts';
export { type Swarm, drawSwarm } from './swarm.ts';
