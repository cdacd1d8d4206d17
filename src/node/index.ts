/**
 * The whole server, synchronous and deterministic over its ports: clients, transactions, routing,
 * replication and cluster put together.
 */
export { Node, type NodeInit } from './node.ts';
export type { Files, Network, Ports, Wire, WireEvents } from './ports.ts';
