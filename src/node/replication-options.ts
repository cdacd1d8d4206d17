/** What the directives of redis.conf mean to the two sides of replication. */
import type { OutputLimit, Settings } from '../config/index.ts';
import type { LinkOptions, SourceOptions } from '../replication/index.ts';

/** Source: 7.0 redis.conf. */
const SYNC_DELAY_SECONDS_DEFAULT = 5;

/** `isDelaySet`: somebody has set `repl-diskless-sync-delay` while the node ran, if only to what it is by default. */
export function sourceOptions(settings: Settings, isDelaySet: boolean): SourceOptions {
  const syncDelaySeconds = settings['repl-diskless-sync-delay'];
  const syncMaxReplicas = settings['repl-diskless-sync-max-replicas'];
  return {
    backlogTtlSeconds: settings['repl-backlog-ttl'],
    pingPeriodSeconds: settings['repl-ping-replica-period'],
    timeoutSeconds: settings['repl-timeout'],
    syncDelaySeconds,
    // Who says how many replicas end the wait wants the wait.
    isSyncDelayChosen:
      isDelaySet || syncDelaySeconds !== SYNC_DELAY_SECONDS_DEFAULT || syncMaxReplicas > 0,
    syncMaxReplicas,
  };
}

/** The port to which masters, replicas and Sentinels come. */
export function replicationPort(
  settings: Pick<Settings, 'port' | 'tls-port' | 'tls-replication'>,
): number {
  const hasTls = settings['tls-replication'] && settings['tls-port'] !== 0;
  return hasTls ? settings['tls-port'] : settings.port;
}

export function linkOptions(settings: Settings): LinkOptions {
  const announcedPort = settings['replica-announce-port'];
  return {
    announcedPort: announcedPort === 0 ? replicationPort(settings) : announcedPort,
    announcedIp: settings['replica-announce-ip'],
    masterUser: settings.masteruser,
    masterAuth: settings.masterauth,
    timeoutSeconds: settings['repl-timeout'],
  };
}

/**
 * The output limit of replicas. A hard limit below the backlog would close replicas that the backlog alone brings
 * above it. Source: 7.0 networking.c, checkClientOutputBufferLimits().
 */
export function replicaOutputLimit(settings: Settings): OutputLimit {
  const { replica } = settings['client-output-buffer-limit'];
  if (replica.hardBytes === 0) return replica;
  return { ...replica, hardBytes: Math.max(replica.hardBytes, settings['repl-backlog-size']) };
}
