/**
 * `slotline up --sentinel`: a master, two replicas and three Sentinels on this machine, a process each. They keep their own
 * configuration files, so started again they are what they were when they ended, whichever node was the master then.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { quoteArgument } from '../../base/index.ts';
import {
  type NodeAddress,
  formatAddress,
  replyFacts,
  replyItems,
  replyText,
} from '../../client/index.ts';
import { connectNode, waitUntil } from '../cluster/index.ts';
import { ToolError } from '../errors.ts';
import { type Screen, tableLines } from '../screen.ts';
import { waitUntilReady } from './cluster-state.ts';
import { DashboardPage, type ServeDashboard } from './dashboard-page.ts';
import { DataFolder } from './data-folder.ts';
import { RECORD_FILE } from './layout.ts';
import { runUntilStopped } from './lifetime.ts';
import { NodeProcess, describeEnding } from './node-process.ts';
import { checkFree } from './ports.ts';

export interface SentinelUpOptions {
  readonly dir: string;
  /** Port of the first node; the other nodes and then the Sentinels follow. Default 7000. */
  readonly port: number | undefined;
  /** Program and first arguments that start a node, and a Sentinel; the configuration file follows. */
  readonly serverCommand: readonly string[];
  readonly sentinelCommand: readonly string[];
  readonly serverEnvironment: Readonly<Record<string, string>>;
  readonly serveDashboard: ServeDashboard;
}

const BIND = '127.0.0.1';
const PORT_DEFAULT = 7000;
const NODE_COUNT = 3;
const SENTINEL_COUNT = 3;
const QUORUM = 2;
const PORT_MAX = 65_535 - NODE_COUNT - SENTINEL_COUNT;
const MASTER_NAME = 'mymaster';
const DOWN_AFTER_MS = 5000;
const FAILOVER_TIMEOUT_MS = 60_000;
const READY_BOUND_MS = 20_000;
const KNOWN_BOUND_MS = 30_000;
const END_BOUND_MS = 5000;

/** Runs until a signal or until every process has ended; answers the exit status. Throws ToolError. */
export async function upSentinel(options: SentinelUpOptions, screen: Screen): Promise<0 | 1> {
  const { port = PORT_DEFAULT } = options;
  if (!Number.isSafeInteger(port) || port < 1 || port > PORT_MAX) {
    throw new ToolError('USAGE', `Cannot start: --port has to be a number from 1 to ${PORT_MAX}`);
  }
  const folder = new DataFolder(options.dir);
  folder.lock();
  const set = new SentinelSet({ ...options, port }, folder, screen);
  try {
    return await set.run();
  } finally {
    await set.end();
    folder.unlock();
  }
}

class SentinelSet {
  readonly #options: SentinelUpOptions & { readonly port: number };
  readonly #folder: DataFolder;
  readonly #screen: Screen;
  readonly #nodes: NodeProcess[] = [];
  readonly #sentinels: NodeProcess[] = [];
  readonly #page: DashboardPage;
  #isEnding = false;

  constructor(
    options: SentinelUpOptions & { readonly port: number },
    folder: DataFolder,
    screen: Screen,
  ) {
    this.#options = options;
    this.#folder = folder;
    this.#screen = screen;
    this.#page = new DashboardPage(options.serveDashboard, screen);
  }

  async run(): Promise<0 | 1> {
    this.#checkFolder();
    await checkFree(BIND, [...this.#nodePorts, ...this.#sentinelPorts]);
    return runUntilStopped(
      {
        start: () => this.#start(),
        allEnded: () => Promise.all(this.#processes.map((one) => this.#reportEnd(one))),
        end: () => this.end(),
        killAll: () => this.#processes.forEach((one) => one.kill()),
        noun: 'process',
      },
      this.#screen,
    );
  }

  get #processes(): readonly NodeProcess[] {
    return [...this.#nodes, ...this.#sentinels];
  }

  /** The page, then Sentinels, so that nobody takes what follows for a failure; then the nodes. */
  async end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    await this.#page.close();
    const running = this.#processes.filter(({ ending }) => !ending);
    if (running.length > 0)
      this.#screen.note(`Ending ${running.length} processes, Sentinels first`);
    for (const group of [this.#sentinels, this.#nodes]) {
      await Promise.all(group.map((one) => one.end(END_BOUND_MS)));
    }
  }

  get #nodePorts(): number[] {
    return Array.from({ length: NODE_COUNT }, (_, i) => this.#options.port + i);
  }

  get #sentinelPorts(): number[] {
    return Array.from({ length: SENTINEL_COUNT }, (_, i) => this.#options.port + NODE_COUNT + i);
  }

  /** A folder of something else, or of the same on other ports, is left alone. */
  #checkFolder(): void {
    const { path } = this.#folder;
    const own = [...this.#nodePorts, ...this.#sentinelPorts].map(String);
    const other = readdirSync(path).find(
      (name) => name === RECORD_FILE || (/^\d+$/.test(name) && !own.includes(name)),
    );
    if (other === undefined) return;
    const what = other === RECORD_FILE ? 'a cluster' : `a node on port ${other}`;
    const message = `Cannot use "${path}": it holds ${what}, take another --dir or the --port of before`;
    throw new ToolError('LOCAL', message);
  }

  async #start(): Promise<void> {
    const startedMs = performance.now();
    const isKnown = existsSync(this.#folder.configFile(this.#options.port));
    const again = isKnown ? ', as they ended' : '';
    this.#screen.note(`Starting ${NODE_COUNT} nodes and ${SENTINEL_COUNT} Sentinels${again}`);
    const { sentinelCommand, serverCommand } = this.#options;
    for (const port of this.#nodePorts) {
      this.#nodes.push(this.#launch(port, serverCommand, this.#nodeLines(port)));
    }
    await this.#untilAnswering(this.#nodes);
    for (const port of this.#sentinelPorts) {
      this.#sentinels.push(this.#launch(port, sentinelCommand, sentinelLines(this.#options.port)));
    }
    await this.#untilAnswering(this.#sentinels);
    await this.#untilKnown();
    await this.#show((performance.now() - startedMs) / 1000);
  }

  #nodeLines(port: number): readonly string[] {
    const first = this.#options.port;
    return [
      'repl-diskless-sync-delay 0',
      ...(port === first ? [] : [`replicaof ${BIND} ${first}`]),
    ];
  }

  /** Its configuration is written once; from then on it is the process's own. */
  #launch(port: number, command: readonly string[], lines: readonly string[]): NodeProcess {
    const dir = this.#folder.nodeFolder(port);
    const configFile = this.#folder.configFile(port);
    mkdirSync(dir, { recursive: true });
    if (!existsSync(configFile)) {
      const place = quoteArgument(Buffer.from(dir).toString('latin1'));
      const text = [`port ${port}`, `bind ${BIND}`, `dir ${place}`, ...lines].join('\n');
      writeFileSync(configFile, `${text}\n`, 'latin1');
    }
    const environment = this.#options.serverEnvironment;
    return new NodeProcess({ command, environment, port, dir, configFile });
  }

  async #untilAnswering(processes: readonly NodeProcess[]): Promise<void> {
    await Promise.all(
      processes.map((one) => waitUntilReady(one, addressOf(one.port), READY_BOUND_MS)),
    );
  }

  async #untilKnown(): Promise<void> {
    const whole = `slaves=${NODE_COUNT - 1},sentinels=${SENTINEL_COUNT}`;
    await waitUntil(
      async () => {
        const infos = await Promise.all(
          this.#sentinelPorts.map((port) => askOne(port, 'INFO', 'sentinel')),
        );
        return infos.every((info) => replyFacts(info).get('master0')?.endsWith(whole) === true);
      },
      KNOWN_BOUND_MS,
      () =>
        `Sentinels do not know each other after ${KNOWN_BOUND_MS} ms: see the logs in "${this.#folder.path}"`,
    );
  }

  async #show(seconds: number): Promise<void> {
    const rows = await Promise.all(
      this.#processes.map(async ({ pid, port }) => {
        const [role] = replyItems(await askOne(port, 'ROLE')).map(replyText);
        const word = role === 'slave' ? 'replica' : (role ?? 'unknown');
        return [word, formatAddress(addressOf(port)), String(pid)];
      }),
    );
    const out = (line: string): void => this.#screen.out(line);
    for (const line of tableLines(['ROLE', 'ADDRESS', 'PID'], rows, [2])) out(line);
    const near = relative(process.cwd(), this.#folder.path);
    const shown = near === '' || near.startsWith('..') ? this.#folder.path : near;
    out('');
    const what = `"${MASTER_NAME}" with ${NODE_COUNT - 1} replicas and ${SENTINEL_COUNT} Sentinels`;
    out(
      `${this.#screen.paint('green', 'Ready')} in ${seconds.toFixed(1)} s: ${what}, data in ${shown}`,
    );
    const [first = 0] = this.#sentinelPorts;
    out(`  redis-cli -p ${first} SENTINEL GET-MASTER-ADDR-BY-NAME ${MASTER_NAME}`);
    out(
      `  Sentinels for clients: ${this.#sentinelPorts.map((port) => `${BIND}:${port}`).join(',')}`,
    );
    await this.#page.show({
      seeds: this.#sentinelPorts.map(addressOf),
      bind: BIND,
      port: this.#options.port,
      journalFolder: this.#folder.path,
    });
    out('Ctrl-C ends all in order; started again, they are the same.');
  }

  async #reportEnd(one: NodeProcess): Promise<void> {
    const ending = await one.ended;
    if (this.#isEnding) return;
    const name = formatAddress(addressOf(one.port));
    const log = join(this.#folder.nodeFolder(one.port));
    this.#screen.note(
      `Process ${one.pid} at ${name} ended: ${describeEnding(ending)}; its log is in ${log}`,
    );
  }
}

function sentinelLines(masterPort: number): readonly string[] {
  return [
    `sentinel monitor ${MASTER_NAME} ${BIND} ${masterPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${MASTER_NAME} ${FAILOVER_TIMEOUT_MS}`,
  ];
}

function addressOf(port: number): NodeAddress {
  return { host: BIND, port, tls: false, db: 0 };
}

async function askOne(
  port: number,
  ...words: readonly string[]
): Promise<Parameters<typeof replyText>[0]> {
  const client = await connectNode(addressOf(port));
  try {
    return await client.call(...words);
  } finally {
    client.close();
  }
}
