/**
 * Slotline inside a program, for tests: a server, a whole cluster, or a master with replicas and Sentinels, on free ports
 * of 127.0.0.1, with its data in memory, and with the faults that try it: kill, pause, partition, failover. Nothing is left after `stop`.
 */
export {
  ClusterNode,
  type ClusterOptions,
  type FailoverOptions,
  LocalCluster,
  startCluster,
} from './cluster.ts';
export { LibraryError, type LibraryErrorCode } from './errors.ts';
export { DataNode, GroupNode, LocalGroup, type WaitOptions } from './group.ts';
export type { ConfigLines } from './local-node.ts';
export { LocalServer, type ServerOptions, startServer } from './server.ts';
export {
  LocalSentinels,
  type SentinelOptions,
  type SwitchOptions,
  startSentinel,
} from './sentinels.ts';
export type { TimelineEvent, TimelineKind } from './timeline.ts';
