/**
 * Cluster tools for any nodes that speak Redis 7: each is a pure planner and a thin runner.
 */
export { type CallOptions, callNodes, setNodeTimeout } from './call.ts';
export { checkCluster, showInfo } from './check.ts';
export { callNode, connectNode, isListening, waitUntil, withCredentials } from './connect.ts';
export { type CreateResult, type CreateToolOptions, createCluster } from './create.ts';
export {
  CREATE_TIMEOUT_MS,
  type CreateOptions,
  type CreateSession,
  carryOutCreate,
  closeAll,
  prepareCreate,
} from './create-run.ts';
export { FAILOVER_TIMEOUT_MS, type FailoverOptions, failover } from './failover.ts';
export { type FailoverMode, planFailover } from './failover-plan.ts';
export { type Finding, findProblems } from './findings.ts';
export { type ClusterReport, type NodeReport, closeReport, inspectCluster } from './inspect.ts';
export { Journal, type JournalState } from './journal.ts';
export { LOCK_KEY } from './lock.ts';
export { type Addition, addNode, delNode } from './membership.ts';
export { type ImportOptions, importKeys } from './import.ts';
export { fix } from './fix.ts';
export type { FixOptions } from './fix-plan.ts';
export { type OperateOptions, resumeOnly } from './operate.ts';
export { withLock } from './locked.ts';
export { MOVE_DEFAULTS, type MoveOptions } from './slot-mover.ts';
export { rebalance, reshard } from './slot-tools.ts';
export { type Plan, type SlotMove, type Step, describeStep } from './plan.ts';
export {
  type Replacement,
  relocate,
  replace,
  switchover,
  takeover,
  upgrade,
} from './operations.ts';
export type { RebalanceWish, ReshardWish } from './slot-plan.ts';
export { type SlotRange, formatRanges, slotCount, slotsOf } from './slot-ranges.ts';
export { Stopping, withSignals } from './stopping.ts';
export { type ClusterNode, type OpenSlot, parseClusterNodes } from './topology.ts';
