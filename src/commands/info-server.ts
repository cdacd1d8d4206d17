/** Fields of INFO about the process, its clients and its databases. Source: INFO of redis-server 7.0.15. */
import { REDIS_VERSION, modeOf } from './connection.ts';
import type { InfoFields } from './info-fields.ts';
import type { AofService, LoadProgress } from './persistence.ts';
import type { Settings } from '../config/index.ts';
import type { Server, SystemFacts } from './server.ts';

const SECONDS_A_DAY = 86400;

export function serverFields(server: Server): InfoFields {
  const { settings, system } = server;
  const uptime = Math.floor((server.now - server.startedAt) / 1000);
  return [
    ['redis_version', REDIS_VERSION],
    ['redis_git_sha1', '00000000'],
    ['redis_git_dirty', 0],
    ['redis_build_id', '0'],
    ['redis_mode', modeOf(server)],
    ['os', system.os],
    ['arch_bits', system.archBits],
    ['monotonic_clock', 'POSIX clock_gettime'],
    ['multiplexing_api', 'libuv'],
    ['atomicvar_api', 'none'],
    ['gcc_version', '0.0.0'],
    ['process_id', system.pid],
    ['process_supervised', supervisorOf(settings, system)],
    ['run_id', server.runId],
    ['tcp_port', settings.port || settings['tls-port']],
    ['server_time_usec', server.wallMicros.now()],
    ['uptime_in_seconds', uptime],
    ['uptime_in_days', Math.floor(uptime / SECONDS_A_DAY)],
    ['hz', settings.hz],
    ['configured_hz', settings.hz],
    ['lru_clock', server.keyspace.recency.clock],
    ['executable', system.executable],
    ['config_file', server.configFile],
    ['io_threads_active', 0],
    ...endingFields(server),
    ['server_name', 'slotline'],
    ['slotline_version', system.version],
    ['runtime_version', system.runtimeVersion],
  ];
}

/** Who supervises the process, if the directive `supervised` lets him. */
export function supervisorOf(
  { supervised }: Pick<Settings, 'supervised'>,
  { supervisor }: Pick<SystemFacts, 'supervisor'>,
): SystemFacts['supervisor'] {
  return supervised === 'auto' || supervised === supervisor ? supervisor : 'no';
}

function endingFields({ ending }: Server): InfoFields {
  const { remainingMs } = ending;
  return remainingMs === undefined ? [] : [['shutdown_in_milliseconds', remainingMs]];
}

export function clientFields(server: Server): InfoFields {
  let clients = 0;
  let blocked = 0;
  let timed = 0;
  for (const session of server.clients.all()) {
    if (session.role !== 'replica') clients++;
    const { blocked: wait } = session;
    if (wait === undefined) continue;
    blocked++;
    if (wait.kind !== 'pause' && wait.deadline !== undefined) timed++;
  }
  return [
    ['connected_clients', clients],
    ['cluster_connections', clusterConnections(server)],
    ['maxclients', server.settings.maxclients],
    ['client_recent_max_input_buffer', server.stats.recentMaxInput.value],
    ['client_recent_max_output_buffer', server.stats.recentMaxOutput.value],
    ['blocked_clients', blocked],
    ['tracking_clients', server.tracking.clientCount],
    ['clients_in_timeout_table', timed],
  ];
}

function clusterConnections(server: Server): number {
  return server.cluster === undefined ? 0 : server.cluster.machine.links().length;
}

export function persistenceFields(server: Server): InfoFields {
  const { persistence, replication } = server;
  const { aof, loading } = persistence;
  // A full synchronisation is a background save in Redis, and is watched as one.
  const saving = persistence.saving ?? replication.snapshotProgress;
  return [
    ['loading', loading !== undefined || replication.swapLoad === 'whole' ? 1 : 0],
    ['async_loading', isLoadedBeside(replication) ? 1 : 0],
    ['current_cow_peak', 0],
    ['current_cow_size', 0],
    ['current_cow_size_age', 0],
    ['current_fork_perc', '0.00'],
    ['current_save_keys_processed', saving?.savedKeys ?? 0],
    ['current_save_keys_total', saving?.totalKeys ?? 0],
    ['rdb_changes_since_last_save', persistence.changeCount],
    ['rdb_bgsave_in_progress', saving === undefined ? 0 : 1],
    ['rdb_last_save_time', persistence.lastSaveUnixSeconds],
    ['rdb_last_bgsave_status', persistence.hasFailed ? 'err' : 'ok'],
    ['rdb_last_bgsave_time_sec', persistence.lastSaveSeconds],
    ['rdb_current_bgsave_time_sec', saving?.seconds ?? -1],
    ['rdb_saves', persistence.saveCount],
    ['rdb_last_cow_size', 0],
    ['rdb_last_load_keys_expired', persistence.expiredKeys],
    ['rdb_last_load_keys_loaded', persistence.loadedKeys],
    ['aof_enabled', aof.isEnabled ? 1 : 0],
    ['aof_rewrite_in_progress', aof.isRewriting ? 1 : 0],
    ['aof_rewrite_scheduled', aof.isScheduled ? 1 : 0],
    ['aof_last_rewrite_time_sec', aof.lastRewriteSeconds],
    ['aof_current_rewrite_time_sec', aof.rewriteSeconds],
    ['aof_last_bgrewrite_status', aof.hasRewriteFailed ? 'err' : 'ok'],
    ['aof_rewrites', aof.rewriteCount],
    ['aof_rewrites_consecutive_failures', aof.consecutiveFailures],
    ['aof_last_write_status', aof.failure === undefined ? 'ok' : 'err'],
    ['aof_last_cow_size', 0],
    ['module_fork_in_progress', 0],
    ['module_fork_last_cow_size', 0],
    ...(aof.isEnabled ? aofFields(aof) : []),
    ...(loading === undefined ? [] : loadingFields(loading)),
  ];
}

function aofFields({ sizes, isScheduled }: AofService): InfoFields {
  return [
    ['aof_current_size', sizes.currentBytes],
    ['aof_base_size', sizes.baseBytes],
    ['aof_pending_rewrite', isScheduled ? 1 : 0],
    ['aof_buffer_length', sizes.bufferBytes],
    ['aof_pending_bio_fsync', sizes.isSyncing ? 1 : 0],
    ['aof_delayed_fsync', sizes.delayedSyncs],
  ];
}

/** Whether a master's snapshot comes while our data is served. */
function isLoadedBeside({ link, swapLoad }: Server['replication']): boolean {
  return link.transfer !== undefined && swapLoad !== 'whole';
}

function loadingFields(loading: LoadProgress): InfoFields {
  const { startedUnixSeconds, totalBytes, loadedBytes, usedMemoryBytes, etaSeconds } = loading;
  const share = totalBytes === 0 ? 0 : (100 * loadedBytes) / totalBytes;
  return [
    ['loading_start_time', startedUnixSeconds],
    ['loading_total_bytes', totalBytes],
    ['loading_rdb_used_mem', usedMemoryBytes],
    ['loading_loaded_bytes', loadedBytes],
    ['loading_loaded_perc', share.toFixed(2)],
    ['loading_eta_seconds', etaSeconds],
  ];
}

export function cpuFields(server: Server): InfoFields {
  const { userSeconds, systemSeconds } = server.system.cpu();
  return [
    ['used_cpu_sys', systemSeconds.toFixed(6)],
    ['used_cpu_user', userSeconds.toFixed(6)],
    ['used_cpu_sys_children', '0.000000'],
    ['used_cpu_user_children', '0.000000'],
    ['used_cpu_sys_main_thread', systemSeconds.toFixed(6)],
    ['used_cpu_user_main_thread', userSeconds.toFixed(6)],
  ];
}

export function clusterFields(server: Server): InfoFields {
  return [['cluster_enabled', server.cluster === undefined ? 0 : 1]];
}

export function keyspaceFields(server: Server): InfoFields {
  return server.keyspace.databases
    .filter((db) => db.shownSize > 0)
    .map((db) => {
      const averageTtl = Math.floor(db.averageTtlMs);
      return [
        `db${db.index}`,
        `keys=${db.shownSize},expires=${db.volatileCount},avg_ttl=${averageTtl}`,
      ];
    });
}
