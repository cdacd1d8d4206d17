/** What `import … from 'slotline'` gives: servers and clusters inside a program. */
export { ClientError, type ClientErrorCode } from './client/index.ts';
export {
  ClusterNode,
  type ClusterOptions,
  type ConfigLines,
  type FailoverOptions,
  LibraryError,
  type LibraryErrorCode,
  LocalCluster,
  LocalServer,
  type ServerOptions,
  type TimelineEvent,
  type TimelineKind,
  type WaitOptions,
  startCluster,
  startServer,
} from './library/index.ts';
export { type Reply, ReplyError } from './resp/index.ts';
