/**
 * The whole server, synchronous and deterministic over its ports: clients, transactions, routing,
 * replication and cluster put together.
 */
export { MemoryFiles } from './memory-files.ts';
export { Node, type NodeInit } from './node.ts';
export type {
  FileDraft,
  FileDraftEvents,
  FileDraftOptions,
  FileReader,
  Files,
  GrowingFile,
  Network,
  Ports,
  RunningScript,
  SaveManner,
  SentinelWorld,
  Wire,
  WireEvents,
} from './ports.ts';
export type { SentinelInit } from './sentinel.ts';
