/** The program `slotline-server`: redis-server's command line, configuration, signals and exit codes. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { globMatches } from '../base/index.ts';
import { supervisorOf } from '../commands/index.ts';
import {
  type CommandLine,
  type LoadedConfig,
  type Settings,
  configFailureText,
  joinConfigText,
  loadConfig,
  parseCommandLine,
} from '../config/index.ts';
import { type LogWriter, logWriter } from './log-file.ts';
import type { SentinelInit } from '../node/index.ts';
import type { Reply } from '../resp/index.ts';
import { lowerCompilerPriority } from './compiler-priority.ts';
import { endWithOriginal, machineCopies } from './copy-process.ts';
import { machineProcess } from './own-process.ts';
import { askInside } from './inside-caller.ts';
import { asSentinel, readSentinel, requireStateFile } from './sentinel-start.ts';
import { ServerProcess, StartError, absolutePath } from './server-process.ts';
import { tellReady } from './supervision.ts';
import { attempt, systemWords } from './system-words.ts';
import { machineFacts } from './system.ts';
import { REDIS_VERSION, VERSION, versionLine } from './version.ts';
import { warmUp } from './warm-up.ts';

/** Tells the detached process of `daemonize yes` that it is the one. */
const DAEMON_MARK = 'SLOTLINE_DAEMON';

/** Asks the node in this process; replies in the order of the commands, error replies as values. */
export type AskNode = (commands: readonly (readonly string[])[]) => Promise<Reply[]>;

/** Where `admin-bind` and `admin-port` want metrics and health served, and whose. */
export interface AdminPlace {
  readonly bind: string;
  readonly port: number;
  readonly ask: AskNode;
}

export interface RunOptions {
  /** The program is for Sentinels only; default false. */
  readonly isSentinelProgram?: boolean;
  /** Serves an admin port; rejects when it cannot be had. Without it the directives are refused. */
  readonly serveAdmin?: (place: AdminPlace) => Promise<unknown>;
}

/**
 * Runs a server until it ends; the process exits by itself. `argv`: the arguments behind the program's name; with
 * `--sentinel` among them, or as the program for it, the server is a Sentinel.
 */
export async function runServer(
  argv: readonly string[],
  { isSentinelProgram = false, serveAdmin }: RunOptions = {},
): Promise<void> {
  if (argv[0] === '-v' || argv[0] === '--version') {
    process.stdout.write(`${versionLine()}\n`);
    return;
  }
  if (argv[0] === '-h' || argv[0] === '--help') {
    process.stdout.write(HELP);
    return;
  }
  endWithOriginal();
  const line = parseCommandLine(argv.map((arg) => Buffer.from(arg).toString('latin1')));
  const isSentinel = isSentinelProgram || line.isSentinel;
  // The working directory changes with the configuration.
  const configFile = line.configFile === undefined ? '' : resolve(line.configFile);
  const loaded = readConfig(line, isSentinel);
  if (typeof loaded === 'string') return fail(loaded);
  const sentinel = isSentinel ? await readSentinel(loaded) : undefined;
  if (sentinel !== undefined && 'failure' in sentinel) {
    return fail(configFailureText(sentinel.failure, REDIS_VERSION));
  }
  const { settings } = loaded;
  const logFlaw = logFileFlaw(loaded);
  if (logFlaw !== undefined) return fail(logFlaw);
  const isAlone = supervisorOf(settings, machineFacts) === 'no' && settings.daemonize;
  if (isAlone && process.env[DAEMON_MARK] === undefined) return detach(argv);
  await serve({ config: loaded, configFile, sentinel, serveAdmin });
}

/** What a server is started with. */
interface ServeOptions {
  readonly config: LoadedConfig;
  readonly configFile: string;
  /** Undefined for a server with data. */
  readonly sentinel: SentinelInit | undefined;
  readonly serveAdmin: RunOptions['serveAdmin'];
}

async function serve({ config, configFile, sentinel, serveAdmin }: ServeOptions): Promise<void> {
  const { settings } = config;
  const isSentinel = sentinel !== undefined;
  const log = logWriter({
    level: () => (server?.node.settings ?? settings).loglevel,
    file: absolutePath(settings.logfile),
    role: () => (isSentinel ? 'X' : server?.node.replication.isReplica ? 'S' : 'M'),
  });
  const pidFile = absolutePath(settings.pidfile);
  let server: ServerProcess | undefined;
  log(
    'notice',
    `Slotline is starting, version=${VERSION}, redis_version=${REDIS_VERSION}, PID: ${process.pid}`,
  );
  for (const { name, line } of config.foreign) {
    const what = `"${name}" of other versions has no meaning here`;
    log('warning', `Configuration line ${line.number}: ${what}`);
  }
  if (!isSentinel) {
    warmUp();
    const failure = lowerCompilerPriority();
    if (failure !== undefined) log('verbose', `The compiler keeps its priority: ${failure}`);
  }
  try {
    if (isSentinel) requireStateFile(configFile);
    server = new ServerProcess({
      config,
      configFile,
      log,
      copies: machineCopies(log),
      ownProcess: machineProcess,
      ...(isSentinel ? { sentinel } : {}),
      onEnd: (exitCode) => {
        if (pidFile !== '') attempt(() => rmSync(pidFile, { force: true }));
        process.exit(exitCode);
      },
      onListening: () => {
        const usual = settings['cluster-enabled'] ? 'cluster' : 'standalone';
        const port = settings.port || settings['tls-port'];
        log('notice', `Running mode=${isSentinel ? 'sentinel' : usual}, port=${port}.`);
        log('notice', 'Server initialized');
        // While it loads its data it says so there.
        if (server !== undefined) void startAdmin(server, serveAdmin, log);
      },
    });
    handleSignals(server, settings, log);
    await server.start();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    log('warning', error.message);
    const isSnapshot = error.isDataCorrupt && !settings.appendonly;
    if (isSnapshot) log('warning', 'Terminating server after rdb file reading failure.');
    if (settings.logfile !== '') process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  if (pidFile !== '' && !settings['supervised'].startsWith('upstart')) {
    writePidFile(pidFile, log);
  }
  log('notice', 'Ready to accept connections');
  tellReady(settings, log);
}

/** Without its admin port a server would run on unseen, so it does not run then. */
async function startAdmin(
  { node }: ServerProcess,
  serveAdmin: RunOptions['serveAdmin'],
  log: LogWriter,
): Promise<void> {
  const { 'admin-port': port, 'admin-bind': bind } = node.settings;
  if (port === 0) return;
  try {
    if (serveAdmin === undefined) throw new Error('this program has none');
    await serveAdmin({ bind, port, ask: (commands) => askInside(node, commands) });
    log('notice', `Metrics and health at http://${bind}:${port}`);
  } catch (error) {
    log(
      'warning',
      `Failed listening on admin port ${bind}:${port}: ${systemWords(error)}, aborting.`,
    );
    process.exit(1);
  }
}

function readConfig(line: CommandLine, isSentinel: boolean): LoadedConfig | string {
  const { configFile, readsStdin, optionsText } = line;
  const reader = {
    read: (path: string): { readonly text: string } | { readonly error: string } => {
      try {
        return { text: readFileSync(path, 'latin1') };
      } catch (error) {
        return { error: systemWords(error) };
      }
    },
    expand: expandPattern,
  };
  let text = '';
  if (configFile !== undefined) {
    const found = reader.read(configFile);
    if ('error' in found) {
      return `Fatal error, can't open config file '${resolve(configFile)}': ${found.error}`;
    }
    text = found.text;
  }
  if (readsStdin) text += readFileSync(0, 'latin1');
  const result = loadConfig({
    text: joinConfigText(text, optionsText),
    reader,
    isSentinel,
  });
  if (!result.ok) return configFailureText(result.failure, REDIS_VERSION);
  return enterDirectory(isSentinel ? asSentinel(result.config) : result.config);
}

/** Files that an `include` pattern names: only the last part of the path may hold wildcards. */
function expandPattern(pattern: string): readonly string[] {
  const name = basename(pattern);
  if (!/[*?[]/.test(name)) return [pattern];
  const directory = dirname(pattern);
  const wanted = Buffer.from(name);
  const found = readdirSync(directory).filter((file) => {
    const bytes = Buffer.from(file);
    return globMatches(wanted, 0, wanted.length, bytes, 0, bytes.length, false);
  });
  return found.toSorted().map((file) => join(directory, file));
}

/** Makes the working directory of the configuration the process's own, as relative paths in it expect. */
function enterDirectory(config: LoadedConfig): LoadedConfig | string {
  const { settings } = config;
  const wanted = settings.dir === '' ? process.cwd() : resolve(settings.dir);
  if (!statSync(wanted, { throwIfNoEntry: false })?.isDirectory()) {
    const line = config.lines.get('dir');
    if (line === undefined) return `Can't chdir to '${wanted}': No such file or directory`;
    return configFailureText(
      { kind: 'badLine', line, reason: 'No such file or directory' },
      REDIS_VERSION,
    );
  }
  process.chdir(wanted);
  (settings as { dir: string }).dir = wanted;
  return config;
}

/** A log that cannot be written is told before anything is done. */
function logFileFlaw({ settings, lines }: LoadedConfig): string | undefined {
  if (settings.logfile === '') return undefined;
  const flaw = attempt(() => closeSync(openSync(absolutePath(settings.logfile), 'a')));
  if (flaw === undefined) return undefined;
  const reason = `Can't open the log file: ${flaw}`;
  const line = lines.get('logfile');
  return line === undefined
    ? reason
    : configFailureText({ kind: 'badLine', line, reason }, REDIS_VERSION);
}

function writePidFile(path: string, log: LogWriter): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    log('warning', `Cannot write the pid file "${path}": ${(error as Error).message}`);
  }
}

function handleSignals(server: ServerProcess, settings: Settings, log: LogWriter): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log('warning', `Received ${signal} scheduling shutdown...`);
      const words = settings[signal === 'SIGTERM' ? 'shutdown-on-sigterm' : 'shutdown-on-sigint'];
      server.shutdown(words);
    });
  }
  process.on('SIGHUP', () => undefined);
}

/** `daemonize yes`: the same server in a process of its own, without a terminal. */
function detach(argv: readonly string[]): void {
  const program = process.argv[1] ?? '';
  const child = spawn(process.execPath, [...process.execArgv, program, ...argv], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, [DAEMON_MARK]: '1' },
  });
  child.unref();
}

function fail(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}

const HELP = `Usage: slotline-server [/path/to/redis.conf] [options] [-]
       slotline-server - (read config from stdin)
       slotline-server -v or --version
       slotline-server -h or --help

Examples:
       slotline-server (run the server with default conf)
       echo 'maxmemory 128mb' | slotline-server -
       slotline-server /etc/redis/6379.conf
       slotline-server --port 7777
       slotline-server --port 7777 --replicaof 127.0.0.1 8888
       slotline-server /etc/myredis.conf --loglevel verbose -
`;
