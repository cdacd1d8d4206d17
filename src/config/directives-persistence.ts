/**
 * Directives of RDB and append-only files: pure data, one line a directive, in the order of their names.
 * Source: CONFIG GET and CONFIG SET of redis-server 7.0.15.
 */
export const PERSISTENCE_DIRECTIVES = {
  'aof-disable-auto-gc': { type: 'bool', default: false },
  'aof-load-truncated': { type: 'bool', default: true },
  'aof-rewrite-incremental-fsync': { type: 'bool', default: true },
  'aof-timestamp-enabled': { type: 'bool', default: false },
  'aof-use-rdb-preamble': { type: 'bool', default: true },
  aof_rewrite_cpulist: { type: 'string', default: '', change: 'immutable' },
  appenddirname: {
    type: 'string',
    default: 'appendonlydir',
    keepsEmpty: true,
    change: 'immutable',
    check: 'directoryName',
  },
  appendfilename: {
    type: 'string',
    default: 'appendonly.aof',
    keepsEmpty: true,
    change: 'immutable',
    check: 'fileName',
  },
  appendfsync: { type: 'enum', default: 'everysec', values: ['everysec', 'always', 'no'] },
  appendonly: { type: 'bool', default: false },
  'auto-aof-rewrite-min-size': { type: 'memory', default: 67108864, min: 0, max: 'long' },
  'auto-aof-rewrite-percentage': { type: 'int', default: 100, min: 0, max: 'int' },
  dbfilename: {
    type: 'string',
    default: 'dump.rdb',
    keepsEmpty: true,
    change: 'protected',
    check: 'optionalFileName',
  },
  'no-appendfsync-on-rewrite': { type: 'bool', default: false },
  'rdb-del-sync-files': { type: 'bool', default: false },
  'rdb-save-incremental-fsync': { type: 'bool', default: true },
  rdbchecksum: { type: 'bool', default: true, change: 'immutable' },
  rdbcompression: { type: 'bool', default: true },
  'sanitize-dump-payload': { type: 'enum', default: 'no', values: ['no', 'yes', 'clients'] },
  save: {
    type: 'savePoints',
    default: [
      { seconds: 3600, changes: 1 },
      { seconds: 300, changes: 100 },
      { seconds: 60, changes: 10000 },
    ],
  },
  'stop-writes-on-bgsave-error': { type: 'bool', default: true },
} as const;
