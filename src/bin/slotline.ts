/** `slotline`: the program with the subcommands. Arguments and exit statuses only; each tool is loaded when it is asked for. */
import { basename, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { ownVersion } from './own-version.ts';
import { runTool, wholeNumber } from './run-tool.ts';
import { withTls } from './tls-flags.ts';
import type {
  DashboardWish,
  SentinelUpOptions,
  ServeDashboard,
  ServedDashboard,
} from '../tools/up/index.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS, SENTINEL_FLAGS } from './node-flags.ts';

const USAGE_STATUS = 2;
const SERVER_PROGRAM = new URL('./slotline-server.js', import.meta.url);
const SENTINEL_PROGRAM = new URL('./slotline-sentinel.js', import.meta.url);
const UP_DIR = './slotline-data';
const UP_SENTINEL_DIR = './slotline-sentinel-data';

interface UpFlags {
  readonly masters?: number;
  readonly replicas?: number;
  readonly port?: number;
  readonly dir?: string;
  readonly sentinel?: boolean;
  readonly bind?: string;
  readonly nodeTimeout?: number;
  readonly serverExe?: string;
  readonly dashboard: boolean;
  readonly dashboardPort?: number;
}

type AddCommands = (root: Command) => void;

/** Commands in the order of the help, with what adds them. */
const COMMANDS: readonly (readonly [names: readonly string[], load: () => Promise<AddCommands>])[] =
  [
    [['up'], async () => addUp],
    [['server'], async () => addServer],
    [['cluster'], async () => (await import('./cluster-commands.ts')).addClusterCommands],
    [['verify'], async () => (await import('./verify-command.ts')).addVerifyCommand],
    [['migrate'], async () => (await import('./migrate-commands.ts')).addMigrateCommands],
    [['drill'], async () => (await import('./drill-command.ts')).addDrillCommand],
    [['watch', 'dashboard'], async () => (await import('./watch-commands.ts')).addWatchCommands],
    [['sentinel'], async () => (await import('./sentinel-commands.ts')).addSentinelCommands],
  ];

/** The program: `slotline <command>`. The others are not set up: that takes longer than most of them run. */
async function program(command: string | undefined): Promise<Command> {
  const root = new Command('slotline');
  // Servers have directives for it.
  if (command !== 'up' && command !== 'server') withTls(root);
  root
    .description('Redis-compatible clusters: run them, fail them over, look after them.')
    .version(ownVersion(), '-v, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`slotline: ${oneLine(text)}\n`) })
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 problems found, 2 wrong usage, 3 could not finish.',
    );
  const asked = COMMANDS.filter(([names]) => names.some((name) => name === command));
  // Help shows all of them, and a word that is none of them is compared with all.
  for (const [, load] of asked.length > 0 ? asked : COMMANDS) (await load())(root);
  return root;
}

function addServer(root: Command): void {
  root
    .command('server')
    .description(
      "run one node; takes redis-server's arguments: [redis.conf] [--directive value]...",
    )
    .usage('[redis.conf] [--directive value]...')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(runServer);
}

function addUp(root: Command): void {
  root
    .command('up')
    .description('run a cluster on this machine; Ctrl-C ends it, the same command resumes it')
    .option('--masters <count>', 'masters, at least 3 (default: 3)', wholeNumber)
    .option('--replicas <count>', 'replicas of each master (default: 1)', wholeNumber)
    .option(
      '--port <port>',
      'client port of the first node; bus ports are 10000 higher (default: 7000)',
      wholeNumber,
    )
    .option('--dir <folder>', `where it lives (default: ${UP_DIR}, or ${UP_SENTINEL_DIR})`)
    .option(
      '--sentinel',
      'in place of a cluster: a master, two replicas and three Sentinels; takes --port, --dir and where the page is',
    )
    .option(
      '--bind <address>',
      'IP address to listen on; others than loopback need REDISCLI_AUTH (default: 127.0.0.1)',
    )
    .option('--node-timeout <ms>', 'cluster-node-timeout of the nodes (default: 5000)', wholeNumber)
    .option('--server-exe <program>', 'run this redis-server instead of our own')
    .option(
      '--dashboard-port <port>',
      'where the page is served (default: --port + 100)',
      wholeNumber,
    )
    .option('--no-dashboard', 'serve no page')
    .addHelpText(
      'after',
      `
Each node has a folder with its redis.conf and its log. A node that ends is reported and not restarted:
  ${ownName()} server slotline-data/7000/redis.conf`,
    )
    .action((flags: UpFlags) =>
      runTool(false, async (screen) => {
        const { up, upSentinel } = await import('../tools/up/index.ts');
        if (flags.sentinel !== true) return up(upOptions(flags), screen);
        return upSentinel(await upSentinelOptions(flags), screen);
      }),
    );
}

function upOptions(flags: UpFlags): Parameters<typeof import('../tools/up/index.ts').up>[0] {
  const { serverExe } = flags;
  return {
    masters: flags.masters,
    replicas: flags.replicas,
    port: flags.port,
    bind: flags.bind,
    nodeTimeoutMs: flags.nodeTimeout,
    dir: flags.dir ?? UP_DIR,
    serverCommand:
      serverExe === undefined
        ? [process.execPath, ...NODE_FLAGS, fileURLToPath(SERVER_PROGRAM)]
        : [serverExe],
    serverEnvironment: serverExe === undefined ? NODE_ENVIRONMENT : {},
    serverCommandName: serverExe ?? `${ownName()} server`,
    serveDashboard: dashboardServer(flags),
  };
}

function dashboardServer(flags: UpFlags): ServeDashboard {
  return flags.dashboard ? (wish) => serveDashboard(wish, flags) : undefined;
}

async function serveDashboard(wish: DashboardWish, flags: UpFlags): Promise<ServedDashboard> {
  const { Dashboard } = await import('../dashboard/index.ts');
  const { WATCH_INTERVAL_MS } = await import('../tools/watch/index.ts');
  return Dashboard.start({
    ...wish,
    port: flags.dashboardPort ?? wish.port,
    masterName: undefined,
    intervalMs: WATCH_INTERVAL_MS,
    hosts: [],
    allowsActions: false,
    version: ownVersion(),
  });
}

async function upSentinelOptions(flags: UpFlags): Promise<SentinelUpOptions> {
  const { dashboard: _page, dashboardPort: _place, sentinel: _wish, ...rest } = flags;
  const { dir = UP_SENTINEL_DIR, port, ...others } = rest;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    const { ToolError } = await import('../tools/index.ts');
    const option = other.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new ToolError('USAGE', `Cannot start: --${option} does not go with --sentinel`);
  }
  const command = (program: URL, runtimeFlags: readonly string[]): string[] => [
    ...[process.execPath, ...runtimeFlags, fileURLToPath(program)],
  ];
  return {
    ...{ dir, port, serverEnvironment: NODE_ENVIRONMENT },
    serverCommand: command(SERVER_PROGRAM, NODE_FLAGS),
    sentinelCommand: command(SENTINEL_PROGRAM, SENTINEL_FLAGS),
    serveDashboard: dashboardServer(flags),
  };
}

/** The server in this very process: it reads the arguments that are left, and ends when it wants to. */
async function runServer(): Promise<void> {
  const args = process.argv.slice(process.argv.indexOf('server') + 1);
  process.argv = [process.execPath, fileURLToPath(SERVER_PROGRAM), ...args];
  await import(SERVER_PROGRAM.href);
}

/** How the user can call this program again: the name of an installed one, else the file. */
function ownName(): string {
  const file = process.argv[1] ?? 'slotline';
  return basename(file) === 'slotline' ? 'slotline' : `node ${relative(process.cwd(), file)}`;
}

/** A usage error on one line, whatever suggestions come with it. */
function oneLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
}

// Who has seen enough, as `head` has, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
try {
  const [command] = process.argv.slice(2);
  await (await program(command)).parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version that were asked for end with 0; help in place of a missing command does not.
  process.exitCode = error.exitCode === 0 ? 0 : USAGE_STATUS;
}
