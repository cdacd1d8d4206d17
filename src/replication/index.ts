/**
 * Replication as PSYNC2 of Redis 7.0 has it, without sockets: `ReplicationHistory` is the state that both sides share,
 * `ReplicationSource` serves replicas, `ReplicaLink` follows a master. See `docs/compatibility.md` for where we
 * differ on purpose.
 */
export { BACKLOG_BYTES_MIN, Backlog } from './backlog.ts';
export type { ReplicationEvent } from './events.ts';
export { type HistoryInit, NO_DB, NO_OFFSET, NO_REPLID, ReplicationHistory } from './history.ts';
export { type LinkPhase, ReplicaLink, type Target } from './link.ts';
export type { LinkEffect, LinkInput } from './link-types.ts';
export type { LinkOptions } from './link-handshake.ts';
export { type LogSentence, logSentence } from './log-sentence.ts';
export { MasterStream, type StreamTarget } from './master-stream.ts';
export { type PayloadReader } from './payload.ts';
export {
  type FullResyncReason,
  type PsyncDecision,
  type PsyncPosition,
  decidePsync,
} from './psync-decision.ts';
export {
  type InfoField,
  type NodeFacts,
  type ReplicationView,
  type Role,
  infoFields,
  role,
} from './read-model.ts';
export { ALREADY_MASTER } from './psync-answer.ts';
export type { ReplconfResult } from './replconf.ts';
export {
  type ClientNumber,
  type ReplicaSession,
  type SessionState,
  replicaIp,
  replicaName,
} from './session.ts';
export type { JobNumber } from './snapshot-job.ts';
export {
  type CloseReason,
  DEFAULT_SOURCE_OPTIONS,
  type Peer,
  type ReplicaSink,
  type SourceEffect,
  type SourceInput,
  type SourceOptions,
  type SyncRefusal,
  type Upstream,
} from './source-types.ts';
export { ReplicationSource } from './source.ts';
export { asideWords, encodeAside } from './aside.ts';
export { encodeCommand } from './wire.ts';
