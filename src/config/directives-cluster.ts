/**
 * Directives of Redis Cluster: pure data, one line a directive, in the order of their names.
 * Source: CONFIG GET and CONFIG SET of redis-server 7.0.15.
 */
export const CLUSTER_DIRECTIVES = {
  'cluster-allow-pubsubshard-when-down': { type: 'bool', default: true },
  'cluster-allow-reads-when-down': { type: 'bool', default: false },
  'cluster-allow-replica-migration': { type: 'bool', default: true },
  'cluster-announce-bus-port': { type: 'int', default: 0, min: 0, max: 65535 },
  'cluster-announce-hostname': { type: 'string', default: '', check: 'hostname' },
  'cluster-announce-ip': { type: 'string', default: '' },
  'cluster-announce-port': { type: 'int', default: 0, min: 0, max: 65535 },
  'cluster-announce-tls-port': { type: 'int', default: 0, min: 0, max: 65535 },
  'cluster-config-file': {
    type: 'string',
    default: 'nodes.conf',
    keepsEmpty: true,
    change: 'immutable',
  },
  // Valkey 9's, whose valkey-cli asks for it before it moves slots, and gives up without an answer.
  'cluster-databases': {
    type: 'int',
    default: 1,
    min: 1,
    max: 1,
    change: 'immutable',
    isHidden: true,
  },
  'cluster-enabled': { type: 'bool', default: false, change: 'immutable' },
  'cluster-link-sendbuf-limit': { type: 'memory', default: 0, min: 0, max: 'ulong' },
  'cluster-migration-barrier': { type: 'int', default: 1, min: 0, max: 'int' },
  'cluster-node-timeout': { type: 'int', default: 15000, min: 0, max: 'long' },
  'cluster-port': { type: 'int', default: 0, min: 0, max: 65535, change: 'immutable' },
  'cluster-preferred-endpoint-type': {
    type: 'enum',
    default: 'ip',
    values: ['ip', 'hostname', 'unknown-endpoint'],
  },
  'cluster-replica-no-failover': {
    type: 'bool',
    default: false,
    alias: 'cluster-slave-no-failover',
  },
  'cluster-replica-validity-factor': {
    type: 'int',
    default: 10,
    min: 0,
    max: 'int',
    alias: 'cluster-slave-validity-factor',
  },
  'cluster-require-full-coverage': { type: 'bool', default: true },
  // These two are Valkey 9's.
  'cluster-slot-migration-log-max-len': {
    type: 'int',
    default: 1000,
    min: 0,
    max: 'int',
    isHidden: true,
  },
  'slot-migration-max-failover-repl-bytes': {
    type: 'int',
    default: 262_144,
    min: -1,
    max: 'long',
    isHidden: true,
  },
} as const;
