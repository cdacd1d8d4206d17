/** The title of the process, as `ps` shows it. Source: redis.conf of 7.0, and what redis-server 7.0.15 makes of it. */
import type { Settings } from '../config/index.ts';

export interface TitleFacts {
  /** Path of the program. */
  readonly executable: string;
  /** Empty without one. */
  readonly configFile: string;
  readonly isSentinel: boolean;
}

/** `proc-title-template`, which was checked, with its variables filled in. */
export function processTitle(
  settings: Pick<
    Settings,
    'bind' | 'cluster-enabled' | 'port' | 'proc-title-template' | 'tls-port' | 'unixsocket'
  >,
  facts: TitleFacts,
): string {
  const values: Readonly<Record<string, string>> = {
    title: programName(facts.executable),
    'listen-addr': listenAddress(settings),
    'server-mode': facts.isSentinel ? '[sentinel]' : settings['cluster-enabled'] ? '[cluster]' : '',
    port: String(settings.port),
    'tls-port': String(settings['tls-port']),
    unixsocket: settings.unixsocket,
    'config-file': facts.configFile === '' ? '-' : facts.configFile,
  };
  return settings['proc-title-template']
    .replaceAll(/\{\{|\{([^}]*)\}/g, (whole, name?: string) =>
      name === undefined ? '{' : (values[name] ?? whole),
    )
    .trimEnd();
}

function programName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[cm]?[jt]s$/, '');
}

function listenAddress({
  bind,
  port,
  'tls-port': tlsPort,
  unixsocket,
}: Pick<Settings, 'bind' | 'port' | 'tls-port' | 'unixsocket'>): string {
  const shown = port || tlsPort;
  if (shown === 0 && unixsocket !== '') return `unixsocket:${unixsocket}`;
  return `${bind[0] ?? '*'}:${shown}`;
}
