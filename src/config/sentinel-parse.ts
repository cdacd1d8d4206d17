/** The `sentinel` lines of a configuration read into values. Source: behaviour and words of redis-sentinel 7.0.15. */
import { NOT_INTEGER, isHexId, parseInt64 } from '../base/index.ts';
import type { Declaration, SourceLine } from './config-file.ts';
import {
  type KnownSentinel,
  type MasterConf,
  type MasterSettings,
  type SentinelConf,
  type SentinelPlace,
  type SentinelSettings,
  defaultMasterSettings,
  defaultSentinelSettings,
} from './sentinel-conf.ts';

export interface SentinelFlaw {
  readonly line: SourceLine;
  readonly reason: string;
}

/** What the file may say of other files and hosts, which only the machine can check. */
export interface SentinelFacts {
  isExecutable(path: string): boolean;
  /** Whether a host that is no address stands for one. */
  canResolve(host: string): boolean;
}

interface Reading {
  myId: string | undefined;
  currentEpoch: number;
  readonly settings: SentinelSettings;
  readonly masters: Map<string, MasterReading>;
  readonly facts: SentinelFacts;
}

interface MasterReading extends SentinelPlace {
  readonly name: string;
  readonly settings: MasterSettings;
  configEpoch: number;
  leaderEpoch: number;
  readonly replicas: SentinelPlace[];
  readonly sentinels: KnownSentinel[];
}

type Reader = (reading: Reading, args: readonly string[]) => string | undefined;

const UNKNOWN = 'Unrecognized sentinel configuration statement.';
const NO_MASTER = 'No such master with specified name.';
const PORT_MAX = 65_535;

/** Lines that others depend on: they are read first, wherever they stand. */
const FIRST: ReadonlySet<string> = new Set([
  'announce-ip',
  'announce-port',
  'deny-scripts-reconfig',
  'sentinel-user',
  'sentinel-pass',
  'current-epoch',
  'myid',
  'resolve-hostnames',
  'announce-hostnames',
]);

/** Reads all `sentinel` lines; the first flaw found, if there is one. */
export function parseSentinelConf(
  lines: readonly Declaration[],
  facts: SentinelFacts,
):
  | { readonly ok: true; readonly conf: SentinelConf }
  | { readonly ok: false; readonly flaw: SentinelFlaw } {
  const reading: Reading = {
    myId: undefined,
    currentEpoch: 0,
    settings: defaultSentinelSettings(),
    masters: new Map(),
    facts,
  };
  const turns = [
    lines.filter(({ args }) => FIRST.has(nameOf(args))),
    lines.filter(({ args }) => nameOf(args) === 'monitor'),
    lines.filter(({ args }) => !FIRST.has(nameOf(args)) && nameOf(args) !== 'monitor'),
  ];
  for (const { args, line } of turns.flat()) {
    const form = FORMS[nameOf(args)];
    const isWhole = form !== undefined && form.counts.includes(args.length - 1);
    const reason = isWhole ? form.read(reading, args.slice(1)) : UNKNOWN;
    if (reason !== undefined) return { ok: false, flaw: { line, reason } };
  }
  const { myId, currentEpoch, settings } = reading;
  const masters: readonly MasterConf[] = [...reading.masters.values()];
  return { ok: true, conf: { myId, currentEpoch, settings, masters } };
}

function nameOf(args: readonly string[]): string {
  return (args[0] ?? '').toLowerCase();
}

/** How many words a line has behind its name, and what they mean. */
const FORMS: Readonly<
  Record<string, { readonly counts: readonly number[]; readonly read: Reader } | undefined>
> = {
  monitor: { counts: [4], read: readMonitor },
  'down-after-milliseconds': { counts: [2], read: timeReader('downAfterMs') },
  'failover-timeout': { counts: [2], read: timeReader('failoverTimeoutMs') },
  'parallel-syncs': {
    counts: [2],
    read: ofMaster((master, [text]) => {
      master.settings.parallelSyncs = leadingNumber(text);
      return undefined;
    }),
  },
  'notification-script': {
    counts: [2],
    read: scriptReader(
      'notificationScript',
      'Notification script seems non existing or non executable.',
    ),
  },
  'client-reconfig-script': {
    counts: [2],
    read: scriptReader(
      'clientReconfigScript',
      'Client reconfiguration script seems non existing or non executable.',
    ),
  },
  'auth-pass': { counts: [2], read: textReader('authPass') },
  'auth-user': { counts: [2], read: textReader('authUser') },
  'master-reboot-down-after-period': { counts: [2], read: ofMaster(readRebootTime) },
  'primary-reboot-down-after-period': { counts: [2], read: ofMaster(readRebootTime) },
  'config-epoch': {
    counts: [2],
    read: ofMaster((master, [text]) => {
      master.configEpoch = leadingNumber(text);
      return undefined;
    }),
  },
  'leader-epoch': {
    counts: [2],
    read: ofMaster((master, [text]) => {
      master.leaderEpoch = leadingNumber(text);
      return undefined;
    }),
  },
  'known-replica': { counts: [3], read: ofMaster(readReplica) },
  'known-slave': { counts: [3], read: ofMaster(readReplica) },
  'known-sentinel': { counts: [3, 4], read: ofMaster(readSentinel) },
  'rename-command': { counts: [3], read: ofMaster(readRename) },
  myid: {
    counts: [1],
    read: (reading, [id = '']) => {
      if (!isHexId(id)) return 'Malformed Sentinel id in myid option.';
      reading.myId = id;
      return undefined;
    },
  },
  'current-epoch': {
    counts: [1],
    read: (reading, [text]) => {
      reading.currentEpoch = Math.max(reading.currentEpoch, leadingNumber(text));
      return undefined;
    },
  },
  'announce-ip': { counts: [1], read: settingReader('announceIp') },
  'announce-port': {
    counts: [1],
    read: ({ settings }, [text]) => {
      settings.announcePort = leadingNumber(text);
      return undefined;
    },
  },
  'sentinel-user': { counts: [1], read: settingReader('sentinelUser') },
  'sentinel-pass': { counts: [1], read: settingReader('sentinelPass') },
  'deny-scripts-reconfig': {
    counts: [1],
    read: switchReader(
      'denyScriptsReconfig',
      'Please specify yes or no for the deny-scripts-reconfig options.',
    ),
  },
  'resolve-hostnames': {
    counts: [1],
    read: switchReader(
      'resolveHostnames',
      'Please specify yes or no for the resolve-hostnames option.',
    ),
  },
  'announce-hostnames': {
    counts: [1],
    read: switchReader(
      'announceHostnames',
      'Please specify yes or no for the announce-hostnames option.',
    ),
  },
};

function readMonitor(
  reading: Reading,
  [name = '', host = '', portText = '', quorumText = '']: readonly string[],
): string | undefined {
  const quorum = leadingNumber(quorumText);
  if (quorum <= 0) return 'Quorum must be 1 or greater.';
  const place = placeOf(reading, host, portText);
  if (typeof place === 'string') return place;
  if (reading.masters.has(name)) return 'Duplicate master name.';
  const settings = defaultMasterSettings(quorum);
  reading.masters.set(name, {
    ...{ name, ...place, settings, configEpoch: 0, leaderEpoch: 0, replicas: [], sentinels: [] },
  });
  return undefined;
}

function readReplica(
  master: MasterReading,
  [host = '', portText = '']: readonly string[],
  reading: Reading,
): string | undefined {
  const place = placeOf(reading, host, portText);
  if (typeof place === 'string') return place;
  const isKnown = master.replicas.some((known) => known.host === host && known.port === place.port);
  if (isKnown) return 'Duplicate hostname and port for replica.';
  master.replicas.push(place);
  return undefined;
}

function readSentinel(
  master: MasterReading,
  [host = '', portText = '', id]: readonly string[],
  reading: Reading,
): string | undefined {
  // Old files have sentinels without their identity; they will say hello again.
  if (id === undefined) return undefined;
  const place = placeOf(reading, host, portText);
  if (typeof place === 'string') return place;
  if (master.sentinels.some((known) => known.id === id)) return 'Duplicate runid for sentinel.';
  master.sentinels.push({ ...place, id });
  return undefined;
}

function readRebootTime(
  { settings }: MasterReading,
  [text]: readonly string[],
): string | undefined {
  const value = leadingNumber(text);
  if (value < 0) return 'negative time parameter.';
  settings.rebootDownAfterMs = value;
  return undefined;
}

function readRename(
  { settings }: MasterReading,
  [from = '', to = '']: readonly string[],
): string | undefined {
  const key = from.toLowerCase();
  if (settings.renames.has(key)) {
    return 'Same command renamed multiple times with rename-command.';
  }
  settings.renames.set(key, { from, to });
  return undefined;
}

/** A host and its port, or why they are none. */
function placeOf(reading: Reading, host: string, portText: string): SentinelPlace | string {
  const port = leadingNumber(portText);
  if (port < 0 || port > PORT_MAX) return 'Invalid port number.';
  const isKnown =
    isIpText(host) || (reading.settings.resolveHostnames && reading.facts.canResolve(host));
  return isKnown ? { host, port } : "Can't resolve instance hostname.";
}

function ofMaster(
  read: (master: MasterReading, args: readonly string[], reading: Reading) => string | undefined,
): Reader {
  return (reading, [name = '', ...args]) => {
    const master = reading.masters.get(name);
    return master === undefined ? NO_MASTER : read(master, args, reading);
  };
}

function timeReader(field: 'downAfterMs' | 'failoverTimeoutMs'): Reader {
  return ofMaster(({ settings }, [text]) => {
    const value = leadingNumber(text);
    if (value <= 0) return 'negative or zero time parameter.';
    settings[field] = value;
    return undefined;
  });
}

function textReader(field: 'authPass' | 'authUser'): Reader {
  return ofMaster(({ settings }, [text = '']) => {
    settings[field] = text;
    return undefined;
  });
}

function scriptReader(field: 'notificationScript' | 'clientReconfigScript', flaw: string): Reader {
  return ofMaster(({ settings }, [path = ''], { facts }) => {
    if (!facts.isExecutable(path)) return flaw;
    settings[field] = path;
    return undefined;
  });
}

function settingReader(field: 'announceIp' | 'sentinelUser' | 'sentinelPass'): Reader {
  return ({ settings }, [text = '']) => {
    settings[field] = text;
    return undefined;
  };
}

function switchReader(
  field: 'denyScriptsReconfig' | 'resolveHostnames' | 'announceHostnames',
  flaw: string,
): Reader {
  return ({ settings }, [text = '']) => {
    const word = text.toLowerCase();
    if (word !== 'yes' && word !== 'no') return flaw;
    settings[field] = word === 'yes';
    return undefined;
  };
}

/** The number that a text begins with, 0 without one: so lenient is the real one here. */
function leadingNumber(text: string = ''): number {
  const digits = Buffer.from(/^\s*[-+]?\d*/.exec(text)![0].trim().replace(/^\+/, ''), 'latin1');
  const value = parseInt64(digits, 0, digits.length);
  return value === NOT_INTEGER ? 0 : Number(value);
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** Whether a host is an address, which needs no name server. */
export function isIpText(host: string): boolean {
  return IPV4.test(host) || (host.includes(':') && /^[0-9a-fA-F:.]+$/.test(host));
}

/** A whole decimal number, undefined for any other text. */
export function readInteger(text: string): number | undefined {
  const bytes = Buffer.from(text, 'latin1');
  const value = parseInt64(bytes, 0, bytes.length);
  return typeof value === 'number' ? value : undefined;
}
