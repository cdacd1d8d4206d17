/**
 * The operators' tool is killed at every moment at which it has just changed something, and called again: the cluster is
 * whole, with every acknowledged write, and redis-cli agrees.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Cluster } from '../interop/harness/cluster.ts';
import { WriteLoad } from '../interop/harness/load.ts';
import type { NodeProcess } from '../interop/harness/node-process.ts';
import { REDIS_CLI, SLOTLINE, required } from '../interop/harness/programs.ts';
import { type RunResult, startProgram } from '../interop/harness/slotline.ts';
import { until } from '../interop/harness/until.ts';

export interface ToolKills {
  /** The server of the node with this index; those of a relocation follow. */
  readonly exeOf: (index: number) => string;
  /**
   * `each`: every moment of an operation that begins anew. `once`: one operation of each kind, gone on with after each
   * kill and killed again one moment later.
   */
  readonly moments: 'each' | 'once';
  /** Called after each kill. */
  readonly progress?: (verb: string, moment: number) => void;
}

const MASTERS = 3;
const KEYS = 500;
const SLOTS = 80;
const BOUND_MS = 20_000;
const MOMENTS_MAX = 500;
const RESTART_POLL_MS = 50;
const CHILD = join(dirname(SLOTLINE), '..', '..', 'tests', 'chaos', 'tool-child.mjs');

const execute = promisify(execFile);

/** Kills reshard, upgrade and relocate; answers how often each. Throws at the first thing that is not right. */
export async function toolKills(options: ToolKills): Promise<ReadonlyMap<string, number>> {
  const { exeOf } = options;
  const journal = mkdtempSync(join(tmpdir(), 'slotline-tool-kills-'));
  const cluster = await Cluster.start({ masters: MASTERS, replicasPerMaster: 1, exeOf });
  const load = new WriteLoad(cluster, { writers: MASTERS });
  const starter = setInterval(() => startEnded(cluster), RESTART_POLL_MS);
  const counts = new Map<string, number>();
  try {
    await until(() => load.acknowledgedCount > KEYS, BOUND_MS, 'there are keys');
    const tool = new KilledTool(cluster, journal, options);
    counts.set('reshard', await tool.kill(() => reshardArguments(cluster)));
    counts.set('upgrade', await tool.kill(() => upgradeArguments(cluster)));
    const spare: NodeProcess[] = [];
    for (let index = 0; index < MASTERS; index++) {
      spare.push(await cluster.add(exeOf(2 * MASTERS + index)));
    }
    const sets = [cluster.nodes.slice(0, 2 * MASTERS), spare];
    counts.set('relocate', await tool.kill(() => relocateArguments(sets)));
    await load.stop();
    clearInterval(starter);
    // Those that have left know nobody to ask for the data.
    for (const node of cluster.nodes) if (!(await isMember(node))) await node.kill();
    const missing = await load.missing();
    if (missing.length > 0) throw new Error(`${missing.length} writes are lost: ${missing[0]}`);
    return counts;
  } finally {
    clearInterval(starter);
    await load.stop();
    await cluster.stop();
    rmSync(journal, { recursive: true, force: true });
  }
}

/** What an init system would do. */
function startEnded(cluster: Cluster): void {
  for (const node of cluster.nodes.filter(({ isRunning }) => !isRunning)) node.launch();
}

class KilledTool {
  readonly #cluster: Cluster;
  readonly #journal: string;
  readonly #options: ToolKills;

  constructor(cluster: Cluster, journal: string, options: ToolKills) {
    this.#cluster = cluster;
    this.#journal = journal;
    this.#options = options;
  }

  /** Kills the operation that `next` names at one moment after the other; answers how many there were. */
  async kill(next: () => Promise<readonly string[]>): Promise<number> {
    const { moments, progress } = this.#options;
    let args = await next();
    const verb = args[0] ?? '';
    for (let moment = 1; moment < MOMENTS_MAX; moment++) {
      const killed = await this.#run(moment, args);
      if (killed.status !== undefined) {
        expectDone(killed, `${verb}: ${args.join(' ')}, not killed`);
        await this.#expectWhole();
        return moment - 1;
      }
      progress?.(verb, moment);
      const resume = ['resume', at(await memberOf(this.#cluster.nodes))];
      if (moments === 'once') {
        args = resume;
        continue;
      }
      expectDone(await this.#run(0, resume), `${verb} killed at moment ${moment}, then resume`);
      await this.#expectWhole();
      args = await next();
    }
    throw new Error(`${verb} does not come to an end after ${MOMENTS_MAX} kills`);
  }

  #run(moment: number, args: readonly string[]): Promise<RunResult> {
    const flags = ['--yes', '--journal', this.#journal];
    return startProgram(CHILD, String(moment), 'cluster', ...args, ...flags).result;
  }

  async #expectWhole(): Promise<void> {
    const left = readdirSync(this.#journal);
    if (left.length > 0) throw new Error(`A journal was left: ${left.join(', ')}`);
    const node = await memberOf(this.#cluster.nodes);
    const { stdout } = await execute(required(REDIS_CLI, 'redis-cli'), [
      '--cluster',
      'check',
      at(node),
    ]);
    if (!stdout.includes('[OK] All 16384 slots covered.') || stdout.includes('WARNING')) {
      throw new Error(`redis-cli finds fault:\n${stdout}`);
    }
  }
}

function expectDone({ status, stdout, stderr }: RunResult, what: string): void {
  if (status !== 0) throw new Error(`${what}: status ${status}\n${stdout}${stderr}`);
}

/** From the first two masters whoever has more slots gives. */
async function reshardArguments(cluster: Cluster): Promise<readonly string[]> {
  const counts = await Promise.all([0, 1].map((index) => slotsOf(cluster, cluster.node(index))));
  const [giver, taker] = (counts[0] ?? 0) >= (counts[1] ?? 0) ? [0, 1] : [1, 0];
  const from = at(cluster.node(giver));
  const to = at(cluster.node(taker));
  return ['reshard', from, '--from', from, '--to', to, '--slots', String(SLOTS)];
}

async function slotsOf(cluster: Cluster, node: NodeProcess): Promise<number> {
  const { slots } = await cluster.myself(node);
  return slots.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

function upgradeArguments(cluster: Cluster): Promise<readonly string[]> {
  const command = `${required(REDIS_CLI, 'redis-cli')} -p {port} SHUTDOWN NOSAVE`;
  return Promise.resolve(['upgrade', at(cluster.node(0)), '--restart-command', command]);
}

/** To whichever of the two sets the cluster does not live on; of the first, its masters are enough. */
async function relocateArguments(sets: readonly NodeProcess[][]): Promise<readonly string[]> {
  const [first = [], second = []] = sets;
  const isOnFirst = await isMember(first[0]);
  const [from, to] = isOnFirst ? [first, second] : [second, first];
  const names = to.slice(0, MASTERS).map((node) => at(node));
  return ['relocate', at(await memberOf(from)), '--to', names.join(',')];
}

function memberOf(nodes: readonly NodeProcess[]): Promise<NodeProcess> {
  return until(
    async () => {
      for (const node of nodes) {
        // One that is being restarted refuses the connection.
        if (await isMember(node).catch(() => false)) return node;
      }
      return undefined;
    },
    BOUND_MS,
    'a node is in the cluster',
  );
}

/** Whether it is in touch with others and knows who serves; one that is about to join does not yet. */
async function isMember(node: NodeProcess | undefined): Promise<boolean> {
  const facts = await node?.facts('CLUSTER', 'INFO');
  return Number(facts?.get('cluster_known_nodes')) > 1 && facts?.get('cluster_state') === 'ok';
}

function at({ port }: NodeProcess): string {
  return `127.0.0.1:${port}`;
}
