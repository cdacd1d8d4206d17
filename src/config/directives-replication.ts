/**
 * Directives of replication: pure data, one line a directive, in the order of their names.
 * Source: CONFIG GET and CONFIG SET of redis-server 7.0.15.
 */
export const REPLICATION_DIRECTIVES = {
  masterauth: { type: 'string', default: '', isSensitive: true },
  masteruser: { type: 'string', default: '', isSensitive: true },
  'min-replicas-max-lag': {
    type: 'int',
    default: 10,
    min: 0,
    max: 'int',
    alias: 'min-slaves-max-lag',
  },
  'min-replicas-to-write': {
    type: 'int',
    default: 0,
    min: 0,
    max: 'int',
    alias: 'min-slaves-to-write',
  },
  'repl-backlog-size': { type: 'memory', default: 1048576, min: 1, max: 'long' },
  'repl-backlog-ttl': { type: 'int', default: 3600, min: 0, max: 'long' },
  'repl-disable-tcp-nodelay': { type: 'bool', default: false },
  'repl-diskless-load': {
    type: 'enum',
    default: 'disabled',
    values: ['disabled', 'on-empty-db', 'swapdb'],
  },
  'repl-diskless-sync': { type: 'bool', default: true },
  'repl-diskless-sync-delay': { type: 'int', default: 5, min: 0, max: 'int' },
  'repl-diskless-sync-max-replicas': { type: 'int', default: 0, min: 0, max: 'int' },
  'repl-ping-replica-period': {
    type: 'int',
    default: 10,
    min: 1,
    max: 'int',
    alias: 'repl-ping-slave-period',
  },
  'repl-timeout': { type: 'int', default: 60, min: 1, max: 'int' },
  'replica-announce-ip': { type: 'string', default: '', alias: 'slave-announce-ip' },
  'replica-announce-port': {
    type: 'int',
    default: 0,
    min: 0,
    max: 65535,
    alias: 'slave-announce-port',
  },
  'replica-announced': { type: 'bool', default: true },
  'replica-ignore-disk-write-errors': { type: 'bool', default: false },
  'replica-ignore-maxmemory': { type: 'bool', default: true, alias: 'slave-ignore-maxmemory' },
  'replica-lazy-flush': { type: 'bool', default: false, alias: 'slave-lazy-flush' },
  'replica-priority': { type: 'int', default: 100, min: 0, max: 'int', alias: 'slave-priority' },
  'replica-read-only': { type: 'bool', default: true, alias: 'slave-read-only' },
  'replica-serve-stale-data': { type: 'bool', default: true, alias: 'slave-serve-stale-data' },
  replicaof: { type: 'masterAddress', default: undefined, alias: 'slaveof', change: 'immutable' },
} as const;
