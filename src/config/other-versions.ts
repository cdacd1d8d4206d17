/**
 * Directives of other versions that a configuration file may bring along when programs are exchanged in place: those of
 * older ones that 7.0.15 passes over, and those of Redis 7.2 to 8 and Valkey 8 and 9, which it refuses. Only files know
 * them; CONFIG does not. Source: behaviour of redis-server 7.0.15, and CONFIG GET of the others.
 */
import type { DirectiveName } from './directives.ts';

/** What later versions call directives that 7.0.15 has. */
const LATER_NAMES: Readonly<Record<string, DirectiveName | undefined>> = {
  'aof-rewrite-cpulist': 'aof_rewrite_cpulist',
  'bgsave-cpulist': 'bgsave_cpulist',
  'bio-cpulist': 'bio_cpulist',
  'commandlog-execution-slower-than': 'slowlog-log-slower-than',
  'commandlog-slow-execution-max-len': 'slowlog-max-len',
  primaryauth: 'masterauth',
  primaryuser: 'masteruser',
  'server-cpulist': 'server_cpulist',
};

/** How 7.0.15 calls what is in a file; the name itself where it is not another version's. */
export function presentName(name: string): string {
  return LATER_NAMES[name] ?? name;
}

/** Older directives that 7.0.15 reads, each with one word, and forgets. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  'list-max-ziplist-entries',
  'list-max-ziplist-value',
  'lua-replicate-commands',
]);

/** Whatever they say, data, clients and rights are the same here. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  ...['active-defrag-cycle-us', 'availability-zone'],
  ...['cluster-announce-human-nodename', 'cluster-blacklist-ttl'],
  ...['cluster-compatibility-sample-ratio', 'cluster-config-save-behavior'],
  ...['cluster-manual-failover-timeout', 'cluster-slot-stats-enabled'],
  ...['commandlog-large-reply-max-len', 'commandlog-large-request-max-len'],
  ...['commandlog-reply-larger-than', 'commandlog-request-larger-than'],
  ...['dual-channel-replication-enabled', 'extended-redis-compatibility', 'hash-seed'],
  ...['hide-user-data-from-log', 'log-format', 'log-timestamp-format'],
  ...['max-new-connections-per-cycle', 'max-new-tls-connections-per-cycle', 'mptcp'],
  ...['prefetch-batch-max-size', 'rdb-version-check', 'rdma-completion-vector', 'rdma-rx-size'],
  ...['repl-mptcp', 'replica-full-sync-buffer-limit'],
  ...['set-max-listpack-entries', 'set-max-listpack-value', 'tls-auto-reload-interval'],
]);

/** Those that ask for something that is not built, and the one value with which they do not. */
const ONLY_VALUE: Readonly<Record<string, string | undefined>> = {
  'cluster-announce-client-ipv4': '',
  'cluster-announce-client-ipv6': '',
  'cluster-announce-client-port': '0',
  'cluster-announce-client-tls-port': '0',
  'gopher-enabled': 'no',
  'import-mode': 'no',
  'locale-collate': '',
  'rdma-bind': '',
  'rdma-port': '0',
  'tls-auth-clients-user': 'off',
  unixsocketgroup: '',
};

/** `silent`: as 7.0.15 does. `told`: it has no meaning here, which the log should say. `flaw`: it cannot be obeyed. */
export type OtherVersionReading =
  | { readonly kind: 'silent' }
  | { readonly kind: 'told' }
  | { readonly kind: 'flaw'; readonly reason: string };

/** What a line means that names no directive of 7.0.15; undefined where no version is known to have it. */
export function readOtherVersion(
  name: string,
  args: readonly string[],
): OtherVersionReading | undefined {
  if (PASSED_OVER.has(name)) return args.length === 1 ? { kind: 'silent' } : undefined;
  if (args.length === 0) return undefined;
  if (WITHOUT_EFFECT.has(name)) return { kind: 'told' };
  const only = ONLY_VALUE[name];
  if (only === undefined) return undefined;
  if (args.length === 1 && args[0]?.toLowerCase() === only) return { kind: 'told' };
  const value = only === '' ? '""' : only;
  return { kind: 'flaw', reason: `"${name}" of other versions can only be ${value} here` };
}
