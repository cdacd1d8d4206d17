/** Where a node's memory goes, for INFO memory and MEMORY STATS. Bytes throughout. */
import { clientBytes } from './client-list.ts';
import type { Server } from './server.ts';

export interface MemoryReport {
  /** Data, buffers, and what the process needed before it had any. */
  readonly usedBytes: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly dataBytes: number;
  readonly reservedDataBytes: number;
  readonly peakBytes: number;
  readonly backlogBytes: number;
  readonly replicaBytes: number;
  readonly clientBytes: number;
  readonly keyCount: number;
}

/** Measures now; remembers the peak. */
export function memoryReport(server: Server): MemoryReport {
  const { keyspace, replication, stats } = server;
  const { residentBytes, heapBytes } = server.system.memory();
  const { usedBytes: dataBytes, reservedBytes } = keyspace.memory;
  let normal = 0;
  let replicas = 0;
  for (const session of server.clients.all()) {
    if (session.role === 'replica') replicas += clientBytes(session);
    else normal += clientBytes(session);
  }
  const backlogBytes =
    replication.history.backlog === undefined ? 0 : replication.history.backlogBytes;
  // Garbage of the heap is nobody's use; it would hide what a command took or gave back.
  const usedBytes = stats.startupHeapBytes + dataBytes + backlogBytes + normal + replicas;
  stats.peakMemoryBytes = Math.max(stats.peakMemoryBytes, usedBytes);
  return {
    usedBytes,
    residentBytes,
    heapBytes,
    dataBytes,
    reservedDataBytes: reservedBytes,
    peakBytes: stats.peakMemoryBytes,
    backlogBytes,
    replicaBytes: replicas,
    clientBytes: normal,
    keyCount: keyspace.size,
  };
}

const UNITS = ['B', 'K', 'M', 'G', 'T', 'P'];

/** Bytes as people read them: `919.00K`. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes}B` : `${value.toFixed(2)}${UNITS[unit] ?? ''}`;
}

/** `part` of `whole` in percent. */
export function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : (part * 100) / whole;
}

/** `part` by `whole`, 0 by 0 being 0. */
export function ratioOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
