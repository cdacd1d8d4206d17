/**
 * Redis Cluster as a machine without input or output of its own: gossip, failure detection, elections, automatic and
 * manual failover, slots and epochs. `step(now, input)` answers with effects in order; `nextWake` says when to tick.
 * Reads for commands (owner of a slot, state, texts) are plain methods. Text of nodes.conf is `config/`'s affair.
 */
export {
  type AdminCommand,
  type AdminError,
  type AdminResult,
  type LinkDirection,
  type SlotAction,
  adminErrorText,
} from './admin-commands.ts';
export type { ContextInit } from './context.ts';
export { ClusterMachine, type NodeView } from './core.ts';
export type { Effect } from './effects.ts';
export type { Input } from './inputs.ts';
export { type LogEvent, type LogLevel, logLevel, logSentence } from './log-events.ts';
export type { ImportFlaw } from './nodes-export.ts';
export { clientPort } from './nodes-export.ts';
export { renderNodeLine } from './render.ts';
export {
  type ClusterRules,
  type VoteFacts,
  type VoteRefusal,
  majority,
  redisRules,
} from './rules.ts';
export { hasSlotBit, slotBitmap, slotRanges } from './slot-map.ts';
export type { ExportEvent } from './slot-exports.ts';
export type { ImportEvent } from './slot-imports.ts';
export { rangesText } from './slot-transfers.ts';
export type { SlotExport, SlotImport } from './transfer-types.ts';
export type {
  ClusterHealth,
  ClusterNode,
  ClusterOptions,
  KeysView,
  Link,
  LinkId,
  LinksView,
  Now,
  ReplicationView,
} from './types.ts';
