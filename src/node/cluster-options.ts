/** The cluster machine's options out of the node's settings. */
import type { ClusterOptions } from '../cluster/index.ts';
import type { DirectiveName, Settings } from '../config/index.ts';

/** Distance from a client port to the bus port when `cluster-port` is 0. Source: Redis Cluster specification. */
const BUS_PORT_INCREMENT = 10000;

/** Directives whose change the machine must hear of. */
export const CLUSTER_DIRECTIVES: ReadonlySet<DirectiveName> = new Set<DirectiveName>([
  'cluster-allow-replica-migration',
  'cluster-announce-bus-port',
  'cluster-announce-hostname',
  'cluster-announce-ip',
  'cluster-announce-port',
  'cluster-announce-tls-port',
  'cluster-link-sendbuf-limit',
  'cluster-migration-barrier',
  'cluster-node-timeout',
  'cluster-preferred-endpoint-type',
  'cluster-replica-no-failover',
  'cluster-replica-validity-factor',
  'cluster-require-full-coverage',
  'cluster-slot-migration-log-max-len',
  'port',
  'repl-ping-replica-period',
  'tls-cluster',
  'tls-port',
]);

/** Port that clients use first: the TLS port when the bus speaks TLS. */
function basePort(settings: Settings): number {
  return settings['tls-cluster'] ? settings['tls-port'] : settings.port;
}

/** Port on which the node listens for its peers. */
export function busPort(settings: Settings): number {
  return settings['cluster-port'] || basePort(settings) + BUS_PORT_INCREMENT;
}

export function clusterOptions(settings: Settings): ClusterOptions {
  const plainPort = settings['cluster-announce-port'] || settings.port;
  const isTls = settings['tls-cluster'];
  return {
    nodeTimeoutMs: settings['cluster-node-timeout'],
    replicaValidityFactor: settings['cluster-replica-validity-factor'],
    replicaNoFailover: settings['cluster-replica-no-failover'],
    migrationBarrier: settings['cluster-migration-barrier'],
    allowReplicaMigration: settings['cluster-allow-replica-migration'],
    requireFullCoverage: settings['cluster-require-full-coverage'],
    announceIp: settings['cluster-announce-ip'],
    announceHostname: settings['cluster-announce-hostname'],
    preferredEndpointType: settings['cluster-preferred-endpoint-type'],
    port: isTls ? settings['cluster-announce-tls-port'] || settings['tls-port'] : plainPort,
    plaintextPort: isTls ? plainPort : 0,
    busPort: settings['cluster-announce-bus-port'] || busPort(settings),
    slotMigrationLogLength: settings['cluster-slot-migration-log-max-len'],
    linkSendBufferBytesMax: settings['cluster-link-sendbuf-limit'],
    replPingReplicaPeriodMs: settings['repl-ping-replica-period'] * 1000,
  };
}
