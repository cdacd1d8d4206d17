/**
 * What the `sentinel` lines of sentinel.conf say, as values and as lines. Order and words are Redis's, so that the file
 * can be handed to the real one and back. Source: behaviour of redis-sentinel 7.0.15.
 */
import { quoteArgument } from '../base/index.ts';

/** Milliseconds without a valid answer until an instance is SDOWN. */
export const DEFAULT_DOWN_AFTER_MS = 30_000;
export const DEFAULT_FAILOVER_TIMEOUT_MS = 180_000;
export const DEFAULT_PARALLEL_SYNCS = 1;

export interface SentinelPlace {
  /** A name or an address, as the user or another node gave it. */
  readonly host: string;
  readonly port: number;
}

export interface KnownSentinel extends SentinelPlace {
  /** Undefined for one whose identity is not known yet. */
  readonly id: string | undefined;
}

/** What SENTINEL SET may change of a master. */
export interface MasterSettings {
  quorum: number;
  downAfterMs: number;
  failoverTimeoutMs: number;
  parallelSyncs: number;
  /** How long a master that restarted may be loading; 0: no matter how long. */
  rebootDownAfterMs: number;
  authPass: string;
  authUser: string;
  notificationScript: string;
  clientReconfigScript: string;
  /** What commands are called at the nodes, by the usual name in lower case. */
  readonly renames: Map<string, RenamedCommand>;
}

export interface RenamedCommand {
  /** As the user wrote it. */
  readonly from: string;
  readonly to: string;
}

export interface MasterConf extends SentinelPlace {
  readonly name: string;
  readonly settings: MasterSettings;
  readonly configEpoch: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly SentinelPlace[];
  readonly sentinels: readonly KnownSentinel[];
}

/** What SENTINEL CONFIG SET may change. */
export interface SentinelSettings {
  announceIp: string;
  /** 0: the port that it listens on. */
  announcePort: number;
  resolveHostnames: boolean;
  announceHostnames: boolean;
  denyScriptsReconfig: boolean;
  /** User and password that Sentinels show each other. */
  sentinelUser: string;
  sentinelPass: string;
}

export interface SentinelConf {
  /** Undefined on the first start. */
  readonly myId: string | undefined;
  readonly currentEpoch: number;
  readonly settings: SentinelSettings;
  readonly masters: readonly MasterConf[];
}

/** Global settings of a Sentinel whose file says nothing. */
export function defaultSentinelSettings(): SentinelSettings {
  return {
    announceIp: '',
    announcePort: 0,
    resolveHostnames: false,
    announceHostnames: false,
    denyScriptsReconfig: true,
    sentinelUser: '',
    sentinelPass: '',
  };
}

/** What a master is watched with where nothing else is said. */
export function defaultMasterSettings(quorum: number): MasterSettings {
  return {
    quorum,
    downAfterMs: DEFAULT_DOWN_AFTER_MS,
    failoverTimeoutMs: DEFAULT_FAILOVER_TIMEOUT_MS,
    parallelSyncs: DEFAULT_PARALLEL_SYNCS,
    rebootDownAfterMs: 0,
    authPass: '',
    authUser: '',
    notificationScript: '',
    clientReconfigScript: '',
    renames: new Map(),
  };
}

/** Every directive that Sentinel writes itself: lines of it that say nothing any more are dropped. */
export const SENTINEL_DIRECTIVES: readonly string[] = [
  ...['myid', 'deny-scripts-reconfig', 'resolve-hostnames', 'announce-hostnames', 'monitor'],
  ...['down-after-milliseconds', 'failover-timeout', 'parallel-syncs', 'notification-script'],
  ...['client-reconfig-script', 'auth-pass', 'auth-user', 'master-reboot-down-after-period'],
  ...['config-epoch', 'leader-epoch', 'known-replica', 'known-sentinel', 'rename-command'],
  ...['current-epoch', 'announce-ip', 'announce-port', 'sentinel-user', 'sentinel-pass'],
];

/** One line behind the word `sentinel`: its directive, and the words behind that. */
export interface SentinelLine {
  readonly name: string;
  readonly text: string;
}

/** All lines of a configuration, in the order in which Redis writes them. */
export function sentinelLines(conf: SentinelConf): readonly SentinelLine[] {
  const { settings } = conf;
  const lines: SentinelLine[] = [];
  const add = (name: string, text: string): void => void lines.push({ name, text });
  if (conf.myId !== undefined) add('myid', conf.myId);
  if (!settings.denyScriptsReconfig) add('deny-scripts-reconfig', 'no');
  if (settings.resolveHostnames) add('resolve-hostnames', 'yes');
  if (settings.announceHostnames) add('announce-hostnames', 'yes');
  for (const master of conf.masters) addMasterLines(master, add);
  add('current-epoch', String(conf.currentEpoch));
  if (settings.announceIp !== '') add('announce-ip', quoteArgument(settings.announceIp));
  if (settings.announcePort !== 0) add('announce-port', String(settings.announcePort));
  if (settings.sentinelUser !== '') add('sentinel-user', lineWord(settings.sentinelUser));
  if (settings.sentinelPass !== '') add('sentinel-pass', lineWord(settings.sentinelPass));
  return lines;
}

/**
 * A word as it stands in a line: as it is, or in quotes where it would be read back as something else. Redis 7.0.15
 * quotes none of them, so that a password with a space makes its file unreadable, and one with a newline writes lines.
 */
function lineWord(word: string): string {
  return /^[!#-&(-~]+$/.test(word) ? word : quoteArgument(word);
}

function addMasterLines(master: MasterConf, add: (name: string, text: string) => void): void {
  const { name, settings } = master;
  const put = (directive: string, ...words: readonly (string | number)[]): void =>
    add(directive, [name, ...words].map((word) => lineWord(String(word))).join(' '));
  put('monitor', master.host, master.port, settings.quorum);
  if (settings.downAfterMs !== DEFAULT_DOWN_AFTER_MS) {
    put('down-after-milliseconds', settings.downAfterMs);
  }
  if (settings.failoverTimeoutMs !== DEFAULT_FAILOVER_TIMEOUT_MS) {
    put('failover-timeout', settings.failoverTimeoutMs);
  }
  if (settings.parallelSyncs !== DEFAULT_PARALLEL_SYNCS) {
    put('parallel-syncs', settings.parallelSyncs);
  }
  if (settings.notificationScript !== '') put('notification-script', settings.notificationScript);
  if (settings.clientReconfigScript !== '') {
    put('client-reconfig-script', settings.clientReconfigScript);
  }
  if (settings.authPass !== '') put('auth-pass', settings.authPass);
  if (settings.authUser !== '') put('auth-user', settings.authUser);
  if (settings.rebootDownAfterMs !== 0) {
    put('master-reboot-down-after-period', settings.rebootDownAfterMs);
  }
  put('config-epoch', master.configEpoch);
  put('leader-epoch', master.leaderEpoch);
  for (const { host, port } of master.replicas) put('known-replica', host, port);
  for (const { host, port, id } of master.sentinels) {
    if (id !== undefined) put('known-sentinel', host, port, id);
  }
  for (const { from, to } of settings.renames.values()) put('rename-command', from, to);
}
