/** What `import … from 'slotline'` gives: servers, clusters and Sentinels inside a program. */
export { ClientError, type ClientErrorCode } from './client/index.ts';
export {
  ClusterNode,
  type ClusterOptions,
  type ConfigLines,
  DataNode,
  type FailoverOptions,
  GroupNode,
  LibraryError,
  type LibraryErrorCode,
  LocalCluster,
  LocalGroup,
  LocalSentinels,
  LocalServer,
  type SentinelOptions,
  type ServerOptions,
  type SwitchOptions,
  type TimelineEvent,
  type TimelineKind,
  type WaitOptions,
  startCluster,
  startSentinel,
  startServer,
} from './library/index.ts';
export { type Reply, ReplyError } from './resp/index.ts';
