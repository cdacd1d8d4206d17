/**
 * Slotline inside a program, for tests: a server or a whole cluster on free ports of 127.0.0.1, with its data in memory,
 * and with the faults that try it: kill, pause, partition, failover. Nothing is left after `stop`.
 */
export {
  ClusterNode,
  type ClusterOptions,
  type FailoverOptions,
  LocalCluster,
  type WaitOptions,
  startCluster,
} from './cluster.ts';
export { LibraryError, type LibraryErrorCode } from './errors.ts';
export type { ConfigLines } from './local-node.ts';
export { LocalServer, type ServerOptions, startServer } from './server.ts';
export type { TimelineEvent, TimelineKind } from './timeline.ts';
