/** Fields of INFO stats and INFO replication. Source: INFO of redis-server 7.0.15. */
import { infoFields } from '../replication/index.ts';
import type { InfoFields } from './info-fields.ts';
import type { Server } from './server.ts';

export function statsFields(server: Server): InfoFields {
  const { keyspace, persistence, stats, tracking } = server;
  const { counters } = server.replication.source;
  const exceededSince = stats.evictionExceededSince;
  const exceededMs = exceededSince === undefined ? 0 : server.now - exceededSince;
  return [
    ['total_connections_received', stats.totalConnections],
    ['total_commands_processed', stats.totalCommands],
    ['instantaneous_ops_per_sec', Math.round(stats.commandRate.perSecond)],
    ['total_net_input_bytes', stats.netInputBytes + stats.replInputBytes],
    ['total_net_output_bytes', stats.netOutputBytes + stats.replOutputBytes],
    ['total_net_repl_input_bytes', stats.replInputBytes],
    ['total_net_repl_output_bytes', stats.replOutputBytes],
    ['instantaneous_input_kbps', kilobytes(stats.inputRate.perSecond)],
    ['instantaneous_output_kbps', kilobytes(stats.outputRate.perSecond)],
    ['instantaneous_input_repl_kbps', kilobytes(stats.replInputRate.perSecond)],
    ['instantaneous_output_repl_kbps', kilobytes(stats.replOutputRate.perSecond)],
    ['rejected_connections', stats.rejectedConnections],
    ['sync_full', counters.fullSyncs],
    ['sync_partial_ok', counters.partialAccepted],
    ['sync_partial_err', counters.partialRefused],
    ['expired_keys', keyspace.expiredCount],
    ['expired_stale_perc', stats.expiredStalePercent.toFixed(2)],
    ['expired_time_cap_reached_count', stats.expiredTimeCapReached],
    ['expire_cycle_cpu_milliseconds', Math.floor(stats.expireCycleUs / 1000)],
    ['evicted_keys', stats.evictedKeys],
    ['evicted_clients', stats.evictedClients],
    ['total_eviction_exceeded_time', stats.evictionExceededMs + exceededMs],
    ['current_eviction_exceeded_time', exceededMs],
    ['keyspace_hits', keyspace.hits],
    ['keyspace_misses', keyspace.misses],
    ['pubsub_channels', server.pubsub.size('channel')],
    ['pubsub_patterns', server.pubsub.size('pattern')],
    ['pubsubshard_channels', server.pubsub.size('shard')],
    ['latest_fork_usec', 0],
    // Nothing forks here; snapshots to files are what forks would be for.
    ['total_forks', persistence.snapshotCount],
    ['migrate_cached_sockets', server.migrator.targetCount],
    ['slave_expires_tracked_keys', 0],
    ['active_defrag_hits', 0],
    ['active_defrag_misses', 0],
    ['active_defrag_key_hits', 0],
    ['active_defrag_key_misses', 0],
    ['total_active_defrag_time', 0],
    ['current_active_defrag_time', 0],
    ['tracking_total_keys', tracking.keyCount],
    ['tracking_total_items', tracking.itemCount],
    ['tracking_total_prefixes', tracking.prefixCount],
    ['unexpected_error_replies', stats.unexpectedErrorReplies],
    ['total_error_replies', stats.totalErrorReplies],
    ['dump_payload_sanitizations', 0],
    ['total_reads_processed', stats.readsProcessed],
    ['total_writes_processed', stats.writesProcessed],
    ['io_threaded_reads_processed', 0],
    ['io_threaded_writes_processed', 0],
    ['reply_buffer_shrinks', 0],
    ['reply_buffer_expands', 0],
  ];
}

function kilobytes(bytes: number): string {
  return (bytes / 1024).toFixed(2);
}

export function replicationFields(server: Server): InfoFields {
  const { settings } = server;
  return infoFields(server.replication, server.now, {
    failoverState: server.failover.state,
    priority: settings['replica-priority'],
    isReadOnly: settings['replica-read-only'],
    isAnnounced: settings['replica-announced'],
    minReplicas: settings['min-replicas-to-write'],
    minReplicasMaxLagSeconds: settings['min-replicas-max-lag'],
  });
}
