/** What a node does when settings change. */
import { invariant } from '../base/index.ts';
import type { LogLevel, Session } from '../commands/index.ts';
import {
  type ConfigRefusal,
  type ConfigStore,
  type DirectiveName,
  type SentinelConf,
  type Settings,
  rewriteConfig,
} from '../config/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { AclPart } from './acl.ts';
import type { Client } from './client.ts';
import { maxclientsRefusal } from './open-files.ts';
import type { OwnProcessPart } from './own-process.ts';
import type { Ports } from './ports.ts';
import type { Turns } from './turns.ts';

export interface ConfigChangeHost {
  readonly settings: Settings;
  readonly config: ConfigStore;
  readonly ports: Pick<Ports, 'configureTls' | 'log' | 'system'>;
  readonly keyspace: Keyspace;
  readonly meter: { configure(): void };
  readonly acl: AclPart;
  readonly desk: { readonly parserOptions: { bulkBytesMax: number } };
  readonly ownProcess: OwnProcessPart;
  log(level: LogLevel, text: string): void;
  readonly persistence: { readonly aof: { setEnabled(isWanted: boolean): boolean } };
  readonly eviction: { sample(): void };
  readonly replication: { configure(changed: readonly DirectiveName[]): void };
  readonly cluster: { configure(changed: readonly DirectiveName[]): void } | undefined;
}

interface ListeningHost extends Turns {
  readonly ports: Pick<Ports, 'listenAnew'>;
  client(id: number): Client | undefined;
  unblock(client: Client): void;
}

export function applyChanges(
  host: ConfigChangeHost,
  changed: readonly DirectiveName[],
): ConfigRefusal | undefined {
  const { settings, keyspace } = host;
  const refusal =
    maxclientsRefusal(host, changed) ??
    applyTls(host, changed) ??
    host.ownProcess.configure(changed);
  if (refusal !== undefined) return refusal;
  host.meter.configure();
  if (changed.includes('requirepass')) host.acl.acl.setDefaultPassword(settings.requirepass);
  host.desk.parserOptions.bulkBytesMax = settings['proto-max-bulk-len'];
  const { recency } = keyspace;
  recency.kind = settings['maxmemory-policy'].endsWith('lfu') ? 'lfu' : 'lru';
  recency.lfuLogFactor = settings['lfu-log-factor'];
  recency.lfuDecayMinutes = settings['lfu-decay-time'];
  if (changed.includes('appendonly') && !host.persistence.aof.setEnabled(settings.appendonly)) {
    return { name: 'appendonly', reason: 'Unable to turn on AOF. Check server logs.' };
  }
  host.eviction.sample();
  host.replication.configure(changed);
  host.cluster?.configure(changed);
  return undefined;
}

/** As `Server.listenAnew`. */
export function listenAnew(
  host: ListeningHost,
  session: Session,
  done: (isListening: boolean) => void,
): void {
  const client = host.client(session.id);
  invariant(client !== undefined, 'a client that calls is known');
  client.blocked = { kind: 'outside', deadline: undefined };
  host.ports.listenAnew((isListening) => {
    host.beginTurn();
    done(isListening);
    host.unblock(client);
    host.endTurn();
  });
}

function applyTls(
  { ports }: ConfigChangeHost,
  changed: readonly DirectiveName[],
): ConfigRefusal | undefined {
  const name = changed.find((directive) => directive.startsWith('tls-'));
  if (name === undefined) return undefined;
  const flaw = ports.configureTls?.();
  if (flaw === undefined) return undefined;
  ports.log('warning', flaw);
  return { name, reason: 'Unable to update TLS configuration. Check server logs.' };
}

/** Brings the configuration file up to date with what is set; why that failed, if so. */
export function rewriteConfigFile(
  host: {
    readonly configFile: string;
    readonly settings: Settings;
    readonly ports: Ports;
    readonly acl: AclPart;
  },
  isWhole: boolean,
  sentinel: SentinelConf | undefined,
): string | undefined {
  const { configFile, ports, settings } = host;
  if (configFile === '') return 'The server is running without a config file';
  const old = ports.files.read(configFile) ?? '';
  if (typeof old !== 'string') return old.failure;
  const users = host.acl.acl.users().map(({ name, text }) => `${name} ${text}`);
  const text = rewriteConfig(old, settings, { users, isWhole, sentinel });
  return ports.files.replace(configFile, text);
}
