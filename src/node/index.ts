/**
 * The whole server, synchronous and deterministic over its ports: clients, transactions, routing,
 * replication and cluster put together.
 */
export { MemoryDisk } from './memory-disk.ts';
export { Node, type NodeInit } from './node.ts';
export type {
  Disk,
  Files,
  InputFile,
  Network,
  OutputFile,
  Ports,
  Wire,
  WireEvents,
} from './ports.ts';
