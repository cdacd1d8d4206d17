/** `slotline dashboard` and `slotline watch`: their arguments. */
import { type Command, InvalidArgumentError } from 'commander';
import { seeds } from './cluster-flags.ts';
import { ownVersion } from './own-version.ts';
import { runTool, wholeNumber } from './run-tool.ts';
import { endSignals } from '../tools/index.ts';

interface LookFlags {
  readonly master?: string;
  readonly interval?: number;
  readonly journal: string;
}

interface WatchFlags extends LookFlags {
  readonly once?: boolean;
  readonly json?: boolean;
}

interface DashboardFlags extends LookFlags {
  readonly port?: number;
  readonly bind: string;
  readonly host?: readonly string[];
  readonly allowActions?: boolean;
  readonly json?: boolean;
}

/** Adds `dashboard` and `watch`. */
export function addWatchCommands(root: Command): void {
  addWatch(root);
  addDashboard(root);
}

function addDashboard(root: Command): void {
  withLook(
    root
      .command('dashboard')
      .description('show a deployment in the browser: live, with its events, and switchovers')
      .argument('[nodes...]', 'any nodes of it: a cluster, Sentinels, or a master with replicas')
      .option('--port <port>', 'where the page is served (default: 7100)', wholeNumber)
      .option('--bind <address>', 'IP address to listen on', '127.0.0.1')
      .option(
        '--host <names...>',
        'further names by which browsers reach it, or https://name of a proxy that has TLS',
        hostNames,
      )
      .option('--allow-actions', 'let people act also where --bind is not loopback')
      .option('--json', 'the URL as JSON on standard output'),
  ).action((nodes: string[], flags: DashboardFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { DASHBOARD_PORT, dashboard } = await import('../dashboard/index.ts');
      const options = {
        ...(await lookOptions(nodes, flags)),
        bind: flags.bind,
        port: flags.port ?? DASHBOARD_PORT,
        hosts: flags.host ?? [],
        allowsActions: flags.allowActions === true,
        version: ownVersion(),
        signal: endSignals().signal,
      };
      return dashboard(options, screen);
    }),
  );
}

function hostNames(text: string, before: readonly string[] = []): readonly string[] {
  const isName = /^[\w.:[\]-]+$/.test(text);
  const isProxy = /^https?:\/\/[^/]+\/?$/.test(text) && URL.canParse(text);
  if (!isName && !isProxy) throw new InvalidArgumentError('Give a name, or https://name.');
  return [...before, text];
}

function addWatch(root: Command): void {
  withLook(
    root
      .command('watch')
      .description(
        'show a deployment in the terminal: live, with its events; plain lines elsewhere',
      )
      .argument('[nodes...]', 'any nodes of it: a cluster, Sentinels, or a master with replicas')
      .option('--once', 'look once; status 1 when not all is well')
      .option('--json', 'a line of JSON for every snapshot and every event'),
  ).action((nodes: string[], flags: WatchFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { watch } = await import('../tools/watch/index.ts');
      const options = {
        ...(await lookOptions(nodes, flags)),
        isOnce: flags.once === true,
        signal: endSignals().signal,
      };
      return watch(options, screen);
    }),
  );
}

function withLook(command: Command): Command {
  return command
    .option('--master <name>', 'of what the Sentinels watch, only this master')
    .option('--interval <ms>', 'between two looks (default: 1000)', wholeNumber)
    .option('--journal <folder>', 'where the journals of running operations live', '.');
}

async function lookOptions(nodes: readonly string[], flags: LookFlags) {
  const { WATCH_INTERVAL_MS } = await import('../tools/watch/index.ts');
  return {
    seeds: await seeds(nodes),
    masterName: flags.master,
    intervalMs: Math.max(flags.interval ?? WATCH_INTERVAL_MS, INTERVAL_MS_MIN),
    journalFolder: flags.journal,
  };
}

/** More often would be a load of its own. */
const INTERVAL_MS_MIN = 100;
