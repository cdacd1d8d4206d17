/**
 * `slotline up`: a process for each node, the cluster made at the first start and resumed later, one table, and an
 * orderly end. Restarts nothing by itself: a node that ends is reported with the command that starts it again.
 */
import { relative } from 'node:path';
import { type NodeAddress, formatAddress, replyFacts } from '../../client/index.ts';
import {
  carryOutCreate,
  closeAll,
  connectNode,
  isListening,
  prepareCreate,
  waitUntil,
} from '../cluster/index.ts';
import { ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { nodeTable, notReady, waitUntilReady } from './cluster-state.ts';
import { DataFolder } from './data-folder.ts';
import { runUntilStopped } from './lifetime.ts';
import { DashboardPage, type ServeDashboard } from './dashboard-page.ts';
import { NodeProcess, describeEnding } from './node-process.ts';
import { type UpRequest, type UpShape, nodePorts, resolveShape } from './options.ts';
import { checkPorts } from './ports.ts';

export interface UpOptions extends UpRequest {
  readonly dir: string;
  /** Program and first arguments that start a node; its configuration file follows. */
  readonly serverCommand: readonly string[];
  /** Environment variables for it, where the user has set none of that name. */
  readonly serverEnvironment: Readonly<Record<string, string>>;
  /** How the user starts one node by hand, for messages: `slotline server`. */
  readonly serverCommandName: string;
  readonly serveDashboard: ServeDashboard;
}

const READY_BOUND_MS = 20_000;
const RESUME_BOUND_MS = 30_000;
const END_BOUND_MS = 5000;
const PROBE_MS = 300;
/** Runs until a signal or until every node has ended; answers the exit status. Throws ToolError. */
export async function up(options: UpOptions, screen: Screen): Promise<0 | 1> {
  const folder = new DataFolder(options.dir);
  const existing = folder.record();
  const shape = resolveShape(options, existing?.shape);
  folder.password(shape);
  folder.lock();
  const launcher = new Launcher({ options, shape, folder, screen });
  try {
    return await launcher.run(existing?.isCreated === true);
  } finally {
    await launcher.end();
    folder.unlock();
  }
}

interface LauncherParts {
  readonly options: UpOptions;
  readonly shape: UpShape;
  readonly folder: DataFolder;
  readonly screen: Screen;
}

class Launcher {
  readonly #options: UpOptions;
  readonly #shape: UpShape;
  readonly #folder: DataFolder;
  readonly #screen: Screen;
  readonly #nodes: NodeProcess[] = [];
  readonly #page: DashboardPage;
  readonly #startedMs: number = performance.now();
  #isEnding = false;

  constructor({ options, shape, folder, screen }: LauncherParts) {
    this.#options = options;
    this.#shape = shape;
    this.#folder = folder;
    this.#screen = screen;
    this.#page = new DashboardPage(options.serveDashboard, screen);
  }

  async run(isResumed: boolean): Promise<0 | 1> {
    await checkPorts(this.#shape, (port) => this.#strayText(port));
    this.#folder.writeNodes(this.#shape, { isResumed });
    if (isResumed) this.#folder.writeRecord({ shape: this.#shape, isCreated: true });
    return runUntilStopped(
      {
        start: () => this.#start(isResumed),
        allEnded: () => Promise.all(this.#nodes.map((node) => this.#reportEnd(node))),
        end: () => this.end(),
        killAll: () => this.#nodes.forEach((node) => node.kill()),
        noun: 'node',
      },
      this.#screen,
    );
  }

  /** Replicas first, then masters, each at most `END_BOUND_MS`. */
  async end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    await this.#page.close();
    const running = this.#nodes.filter((node) => node.ending === undefined);
    if (running.length > 0) this.#screen.note(`Ending ${running.length} nodes, replicas first`);
    const isMaster = await this.#mastersAmong(running);
    for (const group of [
      running.filter((n) => !isMaster.has(n)),
      running.filter((n) => isMaster.has(n)),
    ]) {
      await Promise.all(group.map((node) => node.end(END_BOUND_MS)));
    }
    await this.#noteStrays();
  }

  async #start(isResumed: boolean): Promise<void> {
    const count = nodePorts(this.#shape).length;
    this.#screen.note(
      `Starting ${count} nodes${isResumed ? ' of the cluster in this folder' : ''}`,
    );
    for (const port of nodePorts(this.#shape)) {
      this.#nodes.push(
        new NodeProcess({
          command: this.#options.serverCommand,
          environment: this.#options.serverEnvironment,
          port,
          dir: this.#folder.nodeFolder(port),
          configFile: this.#folder.configFile(port),
        }),
      );
    }
    await Promise.all(
      this.#nodes.map((node) => waitUntilReady(node, this.#address(node.port), READY_BOUND_MS)),
    );
    if (isResumed) await this.#waitUntilResumed();
    else await this.#create();
    await this.#show();
  }

  async #create(): Promise<void> {
    const session = await prepareCreate({
      nodes: this.#addresses(),
      replicas: this.#shape.replicas,
      timeoutMs: READY_BOUND_MS,
    });
    try {
      await carryOutCreate(session, READY_BOUND_MS, this.#screen);
    } finally {
      closeAll(session.clients.values());
    }
    this.#folder.writeRecord({ shape: this.#shape, isCreated: true });
  }

  /** A resumed cluster may have damage of its own; then it is shown as it is, with a remark. */
  async #waitUntilResumed(): Promise<void> {
    let left: readonly string[] = [];
    try {
      await waitUntil(
        async () => (left = await notReady(this.#addresses())).length === 0,
        RESUME_BOUND_MS,
        () => `Not ready after ${RESUME_BOUND_MS} ms: ${left.join(', ')}`,
      );
    } catch (error) {
      if (!(error instanceof ToolError) || error.code !== 'NOT_IN_TIME') throw error;
      this.#screen.note(`${error.message}; see "slotline cluster check ${left[0] ?? ''}"`);
    }
  }

  async #show(): Promise<void> {
    const { masters, replicas, port, bind } = this.#shape;
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(1);
    const nodes = this.#nodes.map((node) => ({ address: this.#address(node.port), pid: node.pid }));
    const out = (line: string): void => this.#screen.out(line);
    for (const line of await nodeTable(nodes)) out(line);
    out('');
    const what = `${masters} masters with ${replicas} ${replicas === 1 ? 'replica' : 'replicas'} each`;
    out(
      `${this.#screen.paint('green', 'Ready')} in ${seconds} s: ${what}, data in ${this.#shown(this.#folder.path)}`,
    );
    const host = bind === '127.0.0.1' ? '' : ` -h ${bind}`;
    out(`  redis-cli -c${host} -p ${port}`);
    out(`  redis://${formatAddress({ host: bind, port })}   for any client in cluster mode`);
    const journalFolder = this.#folder.path;
    await this.#page.show({ seeds: this.#addresses(), bind, port, journalFolder });
    out('Ctrl-C ends the nodes in order; started again, it is the same cluster.');
  }

  async #reportEnd(node: NodeProcess): Promise<void> {
    const ending = await node.ended;
    if (this.#isEnding) return;
    const name = formatAddress(this.#address(node.port));
    const again = `${this.#options.serverCommandName} ${this.#shown(this.#folder.configFile(node.port))}`;
    this.#screen.note(
      `Node ${name} (process ${node.pid}) ended: ${describeEnding(ending)}; start it again with: ${again}`,
    );
  }

  /** Nodes that were ended and then started by hand are not ours to end. */
  async #noteStrays(): Promise<void> {
    for (const node of this.#nodes) {
      const address = this.#address(node.port);
      if (!(await isListening({ host: address.host, port: address.port }, PROBE_MS))) continue;
      this.#screen.note(`Node ${formatAddress(address)} was started by hand and runs on`);
    }
  }

  /** Of a node of this very folder that an earlier launcher left behind, if that is what listens at `port`. */
  async #strayText(port: number): Promise<string> {
    const server = await askOnce(this.#address(port), 'server');
    const isOurs = server?.get('config_file') === this.#folder.configFile(port);
    return isOurs ? ` by a node of this folder, process ${server?.get('process_id') ?? ''}` : '';
  }

  /** The nodes that say they are masters; one that does not answer counts as a replica. */
  async #mastersAmong(nodes: readonly NodeProcess[]): Promise<ReadonlySet<NodeProcess>> {
    const masters = new Set<NodeProcess>();
    await Promise.all(
      nodes.map(async (node) => {
        const facts = await askOnce(this.#address(node.port), 'replication');
        if (facts?.get('role') === 'master') masters.add(node);
      }),
    );
    return masters;
  }

  #address(port: number): NodeAddress {
    const password = this.#folder.password(this.#shape);
    const { bind } = this.#shape;
    return { host: bind, port, tls: false, db: 0, ...(password === undefined ? {} : { password }) };
  }

  #addresses(): NodeAddress[] {
    return nodePorts(this.#shape).map((port) => this.#address(port));
  }

  #shown(path: string): string {
    const near = relative(process.cwd(), path);
    return near === '' || near.startsWith('..') ? path : near;
  }
}

/** A section of INFO, or undefined when the node does not answer at once. */
async function askOnce(
  address: NodeAddress,
  section: string,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const client = await connectNode(address, PROBE_MS);
    try {
      return replyFacts(await client.call('INFO', section));
    } finally {
      client.close();
    }
  } catch {
    // Ending, stuck, or no node at all: whoever asks goes on without the answer.
    return undefined;
  }
}
