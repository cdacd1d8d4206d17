/**
 * The whole server, synchronous and deterministic over its ports: clients, transactions, routing,
 * replication and cluster put together.
 */
export { busPort } from './cluster-options.ts';
export { MemoryFiles } from './memory-files.ts';
export { Node, type NodeInit } from './node.ts';
export type {
  CopyEvents,
  CopyPlace,
  FileDraft,
  FileDraftEvents,
  FileDraftOptions,
  FileReader,
  Files,
  GrowingFile,
  Network,
  OwnProcess,
  Ports,
  RunningScript,
  SaveManner,
  SentinelWorld,
  UnreadFile,
  Wire,
  WireEvents,
  WirePurpose,
} from './ports.ts';
export type { SentinelInit } from './sentinel.ts';
