/**
 * The commands: their facts and what they do, one file a family, and the state that several of them share
 * (statistics, slow log, latency samples, subscriptions). Knows no sockets: the node gives a `Server`.
 */
import * as errors from './errors.ts';

export { errors };
export { aclCall } from './acl-call.ts';
export type { AclService, Refused } from './acl-service.ts';
export { isToldPlainPorts } from './cluster-call.ts';
export type { Context, KeyWait } from './context.ts';
export { commandSpecs, sentinelSpecs } from './families.ts';
export type {
  FunctionFacts,
  FunctionService,
  LibraryFacts,
  RestorePolicy,
  RunningFunction,
} from './function-service.ts';
export { ERR_LIBRARY_NAME, isFunctionName, libraryMetadata } from './library-metadata.ts';
export { supervisorOf } from './info-server.ts';
export { LatencyHistogram } from './latency-histogram.ts';
export {
  type LatencyEvent,
  LatencyMonitor,
  type LatencySample,
  LATENCY_SAMPLES_MAX,
} from './latency-monitor.ts';
export type {
  AofService,
  LoadProgress,
  PersistenceService,
  ReloadOptions,
  SaveProgress,
} from './persistence.ts';
export { PubSub } from './pubsub-registry.ts';
export { type Redacted, redactedArguments } from './redaction.ts';
export type { EvalManner, ScriptCaller, ScriptService } from './script-service.ts';
export type {
  ClientService,
  ClusterService,
  SentinelService,
  DebugSwitches,
  EndFlags,
  EndingService,
  FailoverOrder,
  FailoverService,
  FailoverState,
  LogLevel,
  MigrateRequest,
  MigrateService,
  ReplicationService,
  Server,
  SystemFacts,
} from './server.ts';
export { createDebugSwitches } from './server.ts';
export { endFlags } from './server-commands.ts';
export {
  type AwaitedKey,
  type Blocked,
  type BlockedOnKeys,
  type QueuedCommand,
  Session,
  type InputTap,
  type ScriptDebugging,
  type SessionRole,
  type SubscriptionKind,
} from './session.ts';
export { type SlowCall, SlowLog, type SlowLogEntry } from './slow-log.ts';
export type { CommandFlag, CommandSpec, Handler, KeyFlag, KeySpec } from './spec.ts';
export { clientBytes, clientLine } from './client-list.ts';
export { clientBytesMax } from './memory-report.ts';
export { ServerStats } from './stats.ts';
export {
  Command,
  type CommandCounters,
  CommandTable,
  FLAG_ADMIN,
  FLAG_ALLOW_BUSY,
  FLAG_ASKING,
  FLAG_BLOCKING,
  FLAG_DENYOOM,
  FLAG_FAST,
  FLAG_LOADING,
  FLAG_MAY_REPLICATE,
  FLAG_NO_ASYNC_LOADING,
  FLAG_NO_AUTH,
  FLAG_NO_MULTI,
  FLAG_NOSCRIPT,
  FLAG_PROTECTED,
  FLAG_PUBSUB,
  FLAG_READONLY,
  FLAG_SCRIPT,
  FLAG_SKIP_MONITOR,
  FLAG_SKIP_SLOWLOG,
  FLAG_STALE,
  FLAG_WRITE,
} from './table.ts';
export type { Tracking } from './tracking.ts';
export { TrackingTable } from './tracking-table.ts';
