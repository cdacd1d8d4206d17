/**
 * The RESP client of our own tools, plain and cluster-aware, and the addresses that users give them.
 */
export {
  type AddressEnvironment,
  DEFAULT_PORT,
  type NodeAddress,
  type TlsOptions,
  formatAddress,
  parseAddress,
  parseSeeds,
} from './address.ts';
export { ClusterClient, type ClusterOptions } from './cluster-client.ts';
export { Deployment, type DeploymentOptions, NOBODY } from './deployment.ts';
export { ClientError, type ClientErrorCode } from './errors.ts';
export { formatReply, replyFacts, replyItems, replyText, serverMode } from './reply-text.ts';
export { type SocketOptions, connectSocket } from './connect-socket.ts';
export {
  type Argument,
  type ConnectOptions,
  type PushHandler,
  type RawReplies,
  type ReplyBlock,
  RespClient,
  locateReplies,
} from './resp-client.ts';
export { downloadRdb } from './rdb-download.ts';
export { type KeyRequests, RequestBuffer } from './request-buffer.ts';
export { connectSentinel, findMaster } from './sentinel.ts';
export { type Endpoint, type Redirect, SlotCache, parseRedirect } from './slot-cache.ts';
