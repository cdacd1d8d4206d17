/** Fields of INFO memory. Source: INFO of redis-server 7.0.15. */
import type { InfoFields } from './info-fields.ts';
import { humanBytes, memoryReport, percentOf, ratioOf } from './memory-report.ts';
import type { Server } from './server.ts';

export function memoryFields(server: Server): InfoFields {
  const memory = memoryReport(server);
  const { usedBytes, residentBytes, heapBytes, dataBytes, peakBytes } = memory;
  const { settings } = server;
  const active = memory.reservedDataBytes + heapBytes;
  const total = server.system.totalMemoryBytes;
  const peakPercent = `${percentOf(usedBytes, peakBytes).toFixed(2)}%`;
  return [
    ['used_memory', usedBytes],
    ['used_memory_human', humanBytes(usedBytes)],
    ['used_memory_rss', residentBytes],
    ['used_memory_rss_human', humanBytes(residentBytes)],
    ['used_memory_peak', peakBytes],
    ['used_memory_peak_human', humanBytes(peakBytes)],
    ['used_memory_peak_perc', peakPercent],
    ['used_memory_overhead', usedBytes - dataBytes],
    ['used_memory_startup', 0],
    ['used_memory_dataset', dataBytes],
    ['used_memory_dataset_perc', `${percentOf(dataBytes, usedBytes).toFixed(2)}%`],
    ['allocator_allocated', usedBytes],
    ['allocator_active', active],
    ['allocator_resident', residentBytes],
    ['total_system_memory', total],
    ['total_system_memory_human', humanBytes(total)],
    ...scriptFields(server),
    ['maxmemory', settings.maxmemory],
    ['maxmemory_human', humanBytes(settings.maxmemory)],
    ['maxmemory_policy', settings['maxmemory-policy']],
    ['allocator_frag_ratio', ratioOf(active, usedBytes).toFixed(2)],
    ['allocator_frag_bytes', active - usedBytes],
    ['allocator_rss_ratio', ratioOf(residentBytes, active).toFixed(2)],
    ['allocator_rss_bytes', residentBytes - active],
    ['rss_overhead_ratio', '1.00'],
    ['rss_overhead_bytes', 0],
    ['mem_fragmentation_ratio', ratioOf(residentBytes, usedBytes).toFixed(2)],
    ['mem_fragmentation_bytes', residentBytes - usedBytes],
    ['mem_not_counted_for_evict', memory.outgrownBytes + memory.replicaBytes],
    ['mem_replication_backlog', memory.backlogBytes],
    ['mem_total_replication_buffers', memory.backlogBytes + memory.outgrownBytes],
    ['mem_clients_slaves', memory.outgrownBytes + memory.replicaBytes],
    ['mem_clients_normal', memory.clientBytes],
    ['mem_cluster_links', linkBytes(server)],
    ['mem_aof_buffer', server.persistence.aof.sizes.bufferBytes],
    ['mem_allocator', 'slotline'],
    ['active_defrag_running', 0],
    ['lazyfree_pending_objects', server.keyspace.rubbishCount],
    ['lazyfreed_objects', server.keyspace.lazyFreedCount],
  ];
}

function linkBytes({ cluster }: Server): number {
  let sum = 0;
  for (const { id } of cluster?.machine.links() ?? []) sum += cluster?.sendBufferBytes(id) ?? 0;
  return sum;
}

/** What the engine itself takes is part of the heap, where nobody can tell it from the rest. */
function scriptFields({ scripts, functions }: Server): InfoFields {
  return [
    ['used_memory_lua', 0],
    ['used_memory_vm_eval', 0],
    ['used_memory_lua_human', humanBytes(0)],
    ['used_memory_scripts_eval', scripts.bytes],
    ['number_of_cached_scripts', scripts.count],
    ['number_of_functions', functions.functionCount],
    ['number_of_libraries', functions.libraryCount],
    ['used_memory_vm_functions', 0],
    ['used_memory_vm_total', 0],
    ['used_memory_vm_total_human', humanBytes(0)],
    ['used_memory_functions', functions.codeBytes],
    ['used_memory_scripts', scripts.bytes + functions.codeBytes],
    ['used_memory_scripts_human', humanBytes(scripts.bytes + functions.codeBytes)],
  ];
}
