/** Where a node's memory goes, for INFO memory and MEMORY STATS. Bytes throughout. */
import type { Settings } from '../config/index.ts';
import { clientBytes } from './client-list.ts';
import type { Server } from './server.ts';

export interface MemoryReport {
  /** Data and buffers: what `maxmemory` is about. The program itself is in `residentBytes` and `heapBytes` only. */
  readonly usedBytes: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly dataBytes: number;
  readonly reservedDataBytes: number;
  readonly peakBytes: number;
  /** The backlog as far as its size asks for it, */
  readonly backlogBytes: number;
  /** what it holds beyond that for slow replicas, */
  readonly outgrownBytes: number;
  /** and what replicas have beside it. */
  readonly replicaBytes: number;
  readonly clientBytes: number;
  readonly keyCount: number;
}

interface BufferBytes {
  readonly backlog: number;
  readonly outgrown: number;
  readonly normal: number;
  readonly replicas: number;
}

/** What buffers take now. */
function bufferBytes({ clients, replication }: Server): BufferBytes {
  let normal = 0;
  let replicas = 0;
  for (const session of clients.all()) {
    if (session.role === 'replica') replicas += clientBytes(session);
    else normal += clientBytes(session);
  }
  const { backlog } = replication.history;
  const outgrown = backlog?.outgrownBytes ?? 0;
  return { backlog: (backlog?.heldBytes ?? 0) - outgrown, outgrown, normal, replicas };
}

/** What `maxmemory-clients` allows all clients together. */
export function clientBytesMax(
  settings: Pick<Settings, 'maxmemory' | 'maxmemory-clients'>,
): number {
  const { 'maxmemory-clients': limit, maxmemory } = settings;
  const bytes = limit.unit === 'bytes' ? limit.amount : (maxmemory * limit.amount) / 100;
  return bytes === 0 ? Infinity : bytes;
}

/** Measures now; remembers the peak. */
export function memoryReport(server: Server): MemoryReport {
  const { stats } = server;
  const { residentBytes, heapBytes } = server.system.memory();
  const { usedBytes: dataBytes, reservedBytes } = server.keyspace.memory;
  const { backlog, outgrown, normal, replicas } = bufferBytes(server);
  // Neither the program nor garbage of the heap: they would hide what a command took or gave back.
  const usedBytes = dataBytes + backlog + outgrown + normal + replicas;
  stats.peakMemoryBytes = Math.max(stats.peakMemoryBytes, usedBytes);
  return {
    usedBytes,
    residentBytes,
    heapBytes,
    dataBytes,
    reservedDataBytes: reservedBytes,
    peakBytes: stats.peakMemoryBytes,
    backlogBytes: backlog,
    outgrownBytes: outgrown,
    replicaBytes: replicas,
    clientBytes: normal,
    keyCount: server.keyspace.size,
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
