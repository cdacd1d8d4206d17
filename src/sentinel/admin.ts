/** What operators do to a Sentinel. Each answers with undefined, or the whole text of the error. */
import { upToZero } from '../base/index.ts';
import { type MasterSettings, defaultMasterSettings, readInteger } from '../config/index.ts';
import type { SentinelContext } from './context.ts';
import { startFailover } from './failover.ts';
import { newMaster, removeMaster, resetMaster } from './instances.ts';
import { disconnect } from './links.ts';
import { selectReplica } from './selection.ts';
import type { Master, Periods } from './types.ts';

/** What the machine cannot know of the computer that it runs on. */
export interface AdminFacts {
  isExecutable(path: string): boolean;
}

const PORT_MAX = 65_535;

/** SENTINEL MONITOR: begins to watch a master. */
export function monitor(
  c: SentinelContext,
  init: {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    readonly quorum: number;
  },
): string | undefined {
  const { name, host, port, quorum } = init;
  if (quorum <= 0) return 'ERR Quorum must be 1 or greater.';
  const address = c.address(host, port);
  if (address === undefined) return 'ERR Invalid IP address or hostname specified';
  if (port < 0 || port > PORT_MAX) return 'ERR Invalid port number.';
  if (c.masters.has(name)) return 'ERR Duplicate master name.';
  const settings = defaultMasterSettings(quorum);
  settings.downAfterMs = c.periods.defaultDownAfter;
  settings.failoverTimeoutMs = c.periods.defaultFailoverTimeout;
  const master = newMaster(c, { name, address, settings });
  c.masters.set(name, master);
  c.save();
  c.event('warning', '+monitor', master, ` quorum ${quorum}`);
  return undefined;
}

/** SENTINEL REMOVE: forgets a master. */
export function remove(c: SentinelContext, master: Master): void {
  c.event('warning', '-monitor', master);
  removeMaster(c, master);
  c.save();
}

/** Forgets everything that was learned about masters, but not the masters. */
export function reset(c: SentinelContext, masters: readonly Master[]): void {
  for (const master of masters) {
    resetMaster(c, master, false);
    c.event('warning', '+reset-master', master);
  }
  if (masters.length > 0) c.save();
}

/** SENTINEL FAILOVER: nobody is asked for votes. `isCoordinated`: the master hands over, so that nothing is lost. */
export function failoverByOperator(
  c: SentinelContext,
  master: Master,
  isCoordinated: boolean,
): string | undefined {
  if (master.failover.state !== 'none') return 'INPROG Failover already in progress';
  // What begins now would only go on when TILT ends, whatever has happened until then.
  if (isCoordinated && c.isTilted) return 'TILT Sentinel does not act while it is in TILT mode';
  // Redis before 6.2. Valkey's words, as the option is.
  if (isCoordinated && !knowsFailover(master)) {
    return 'NOGOODPRIMARY Primary does not support FAILOVER command';
  }
  if (selectReplica(c, master) === undefined) {
    return 'NOGOODSLAVE No suitable replica to promote';
  }
  c.log('warning', `Executing user requested FAILOVER of '${master.name}'`);
  startFailover(c, master);
  master.failover.isForced = true;
  master.failover.isCoordinated = isCoordinated;
  return undefined;
}

/** Whether a master has the command FAILOVER: its INFO tells of one. */
function knowsFailover({ infoText }: Master): boolean {
  return infoText.includes('\nmaster_failover_state:');
}

/** SENTINEL SET with the words behind the master's name; what stood before a wrong option stays set. */
export function setOptions(
  c: SentinelContext,
  master: Master,
  words: readonly string[],
  facts: AdminFacts,
): string | undefined {
  for (let i = 0; i < words.length;) {
    const option = words[i]!;
    const name = option.toLowerCase();
    const count = name === 'rename-command' ? 2 : 1;
    const values = words.slice(i + 1, i + 1 + count);
    const set = OPTIONS[name];
    if (set === undefined || values.length < count) {
      c.save();
      return `ERR Unknown option or number of arguments for SENTINEL SET '${upToZero(option)}'`;
    }
    if (SCRIPT_OPTIONS.has(name) && c.settings.denyScriptsReconfig) {
      return DENIED;
    }
    const wrong = set(master.settings, values, facts);
    if (wrong !== undefined) {
      c.save();
      return wrong.startsWith('ERR')
        ? wrong
        : `ERR Invalid argument '${wrong}' for SENTINEL SET '${upToZero(option)}'`;
    }
    const shown = name === 'auth-pass' ? '******' : values.join(' ');
    c.event('warning', '+set', master, ` ${option} ${shown}`);
    // New words to show take effect with new connections.
    if (name === 'auth-pass' || name === 'auth-user') reconnectNodes(c, master);
    i += 1 + count;
  }
  c.save();
  return undefined;
}

function reconnectNodes(c: SentinelContext, master: Master): void {
  for (const node of [master, ...master.replicas.values()]) disconnect(c, node.link);
}

const SCRIPT_OPTIONS: ReadonlySet<string> = new Set([
  'notification-script',
  'client-reconfig-script',
]);
const DENIED =
  'ERR Reconfiguration of scripts path is denied for security reasons. Check the ' +
  'deny-scripts-reconfig configuration directive in your Sentinel configuration';

/** Sets one option; the wrong value, or a whole error text. */
type OptionSetter = (
  settings: MasterSettings,
  values: readonly string[],
  facts: AdminFacts,
) => string | undefined;

function numberSetter(
  field: 'downAfterMs' | 'failoverTimeoutMs' | 'parallelSyncs' | 'quorum' | 'rebootDownAfterMs',
  min: number,
): OptionSetter {
  return (settings, [text = '']) => {
    const value = readInteger(text);
    if (value === undefined || value < min) return text;
    settings[field] = value;
    return undefined;
  };
}

function textSetter(field: 'authPass' | 'authUser'): OptionSetter {
  return (settings, [text = '']) => {
    settings[field] = text;
    return undefined;
  };
}

function scriptSetter(field: 'notificationScript' | 'clientReconfigScript'): OptionSetter {
  return (settings, [path = ''], facts) => {
    if (path !== '' && !facts.isExecutable(path)) {
      const which = field === 'notificationScript' ? 'Notification' : 'Client reconfiguration';
      return `ERR ${which} script seems non existing or non executable`;
    }
    settings[field] = path;
    return undefined;
  };
}

const OPTIONS: Readonly<Record<string, OptionSetter | undefined>> = {
  'down-after-milliseconds': numberSetter('downAfterMs', 1),
  'failover-timeout': numberSetter('failoverTimeoutMs', 1),
  'parallel-syncs': numberSetter('parallelSyncs', 1),
  quorum: numberSetter('quorum', 1),
  'master-reboot-down-after-period': numberSetter('rebootDownAfterMs', 0),
  // Valkey's name for it.
  'primary-reboot-down-after-period': numberSetter('rebootDownAfterMs', 0),
  'auth-pass': textSetter('authPass'),
  'auth-user': textSetter('authUser'),
  'notification-script': scriptSetter('notificationScript'),
  'client-reconfig-script': scriptSetter('clientReconfigScript'),
  'rename-command': ({ renames }, [from = '', to = '']) => {
    if (from === '') return from;
    if (to === '') return to;
    const key = from.toLowerCase();
    renames.delete(key);
    if (key !== to.toLowerCase()) renames.set(key, { from, to });
    return undefined;
  },
};

/** The global options of SENTINEL CONFIG, in the order in which it lists them. */
export const GLOBAL_OPTIONS = [
  'resolve-hostnames',
  'announce-hostnames',
  'announce-ip',
  'announce-port',
  'sentinel-user',
  'sentinel-pass',
] as const;

export type GlobalOption = (typeof GLOBAL_OPTIONS)[number];

/** The value of an option as SENTINEL CONFIG GET shows it. */
export function globalOption(c: SentinelContext, name: GlobalOption): string {
  const { settings } = c;
  switch (name) {
    case 'resolve-hostnames':
      return settings.resolveHostnames ? 'yes' : 'no';
    case 'announce-hostnames':
      return settings.announceHostnames ? 'yes' : 'no';
    case 'announce-ip':
      return settings.announceIp;
    case 'announce-port':
      return String(settings.announcePort);
    case 'sentinel-user':
      return settings.sentinelUser;
    case 'sentinel-pass':
      return settings.sentinelPass;
  }
}

/** SENTINEL CONFIG SET. */
export function setGlobalOption(
  c: SentinelContext,
  option: string,
  value: string,
): string | undefined {
  const { settings } = c;
  const word = value.toLowerCase();
  const invalid = `ERR Invalid value '${value}' to SENTINEL CONFIG SET '${option}'`;
  switch (option.toLowerCase()) {
    case 'resolve-hostnames':
      if (word !== 'yes' && word !== 'no') return invalid;
      settings.resolveHostnames = word === 'yes';
      break;
    case 'announce-hostnames':
      if (word !== 'yes' && word !== 'no') return invalid;
      settings.announceHostnames = word === 'yes';
      break;
    case 'announce-ip':
      settings.announceIp = value;
      break;
    case 'announce-port': {
      const port = readInteger(value);
      if (port === undefined || port < 0 || port > PORT_MAX) return invalid;
      settings.announcePort = port;
      break;
    }
    case 'sentinel-user':
      settings.sentinelUser = value;
      reconnectPeers(c);
      break;
    case 'sentinel-pass':
      settings.sentinelPass = value;
      reconnectPeers(c);
      break;
    default:
      return `ERR Invalid argument '${option}' to SENTINEL CONFIG SET`;
  }
  c.save();
  return undefined;
}

function reconnectPeers(c: SentinelContext): void {
  for (const { sentinels } of c.masters.values()) {
    for (const { link } of sentinels.values()) disconnect(c, link);
  }
}

/** The periods of SENTINEL DEBUG by their names there, in its order. */
export const PERIOD_NAMES: Readonly<Record<string, keyof Periods>> = {
  'INFO-PERIOD': 'info',
  'PING-PERIOD': 'ping',
  'ASK-PERIOD': 'ask',
  'PUBLISH-PERIOD': 'publish',
  'DEFAULT-DOWN-AFTER': 'defaultDownAfter',
  'DEFAULT-FAILOVER-TIMEOUT': 'defaultFailoverTimeout',
  'TILT-TRIGGER': 'tiltTrigger',
  'TILT-PERIOD': 'tilt',
  'SLAVE-RECONF-TIMEOUT': 'reconfigurationTimeout',
  'MIN-LINK-RECONNECT-PERIOD': 'minLinkReconnect',
  'ELECTION-TIMEOUT': 'electionTimeout',
  'SCRIPT-MAX-RUNTIME': 'scriptMaxRuntime',
  'SCRIPT-RETRY-DELAY': 'scriptRetryDelay',
};

/** SENTINEL DEBUG with pairs of names and values. */
export function setPeriods(c: SentinelContext, words: readonly string[]): string | undefined {
  for (let i = 0; i < words.length; i += 2) {
    const option = words[i]!;
    const period = PERIOD_NAMES[option.toUpperCase()];
    const text = words[i + 1];
    if (period === undefined || text === undefined) {
      return `ERR Unknown option or number of arguments for SENTINEL DEBUG '${upToZero(option)}'`;
    }
    const value = readInteger(text);
    if (value === undefined || value <= 0) {
      return `ERR Invalid argument '${text}' for SENTINEL DEBUG '${upToZero(option)}'`;
    }
    c.periods[period] = value;
  }
  return undefined;
}
