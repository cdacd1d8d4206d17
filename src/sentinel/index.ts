/**
 * Sentinel without its sockets: what one Sentinel knows and decides, as a machine that takes inputs and gives effects.
 * It watches masters and replicas, agrees with other Sentinels on which master is down, and moves masters to replicas.
 */
export {
  type AdminFacts,
  GLOBAL_OPTIONS,
  PERIOD_NAMES,
  failoverByOperator,
  globalOption,
  monitor,
  remove,
  reset,
  setGlobalOption,
  setOptions,
  setPeriods,
} from './admin.ts';
export { type SentinelContext } from './context.ts';
export { SentinelMachine } from './core.ts';
export type { Effect } from './effects.ts';
export type { Input } from './inputs.ts';
export { currentAddress } from './instances.ts';
export { HELLO_CHANNEL, downAfterMs } from './links.ts';
export { roleWord } from './names.ts';
export {
  type CandidateFacts,
  type CandidateLimits,
  type SentinelRules,
  type VoteFacts,
  redisRules,
} from './rules.ts';
export { runningScripts } from './scripts.ts';
export type {
  Address,
  ConnectionId,
  CrashPoint,
  Instance,
  Master,
  Now,
  Peer,
  Replica,
} from './types.ts';
export { flagsOf, masterAt, quorumReport } from './views.ts';
export { type Vote, vote } from './votes.ts';
