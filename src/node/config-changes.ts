/** What a node does when settings change. */
import type { ConfigRefusal, DirectiveName, Settings } from '../config/index.ts';
import type { Keyspace } from '../keyspace/index.ts';

export interface ConfigChangeHost {
  readonly settings: Settings;
  readonly keyspace: Keyspace;
  readonly meter: { configure(): void };
  readonly desk: { readonly parserOptions: { bulkBytesMax: number } };
  readonly persistence: { readonly aof: { setEnabled(isWanted: boolean): boolean } };
  readonly eviction: { sample(): void };
  readonly replication: { configure(): void };
  readonly cluster: { configure(changed: readonly DirectiveName[]): void } | undefined;
}

export function applyChanges(
  host: ConfigChangeHost,
  changed: readonly DirectiveName[],
): ConfigRefusal | undefined {
  const { settings, keyspace } = host;
  host.meter.configure();
  host.desk.parserOptions.bulkBytesMax = settings['proto-max-bulk-len'];
  const { recency } = keyspace;
  recency.kind = settings['maxmemory-policy'].endsWith('lfu') ? 'lfu' : 'lru';
  recency.lfuLogFactor = settings['lfu-log-factor'];
  recency.lfuDecayMinutes = settings['lfu-decay-time'];
  if (changed.includes('appendonly') && !host.persistence.aof.setEnabled(settings.appendonly)) {
    return { name: 'appendonly', reason: 'Unable to turn on AOF. Check server logs.' };
  }
  host.eviction.sample();
  host.replication.configure();
  host.cluster?.configure(changed);
  return undefined;
}
