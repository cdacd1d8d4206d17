/**
 * The connection of a replica to its master is cut again and again under load, after any byte. At the end both have
 * the same data, and no second full synchronisation was needed, for the backlog had everything.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Rng, seededRng } from '../../src/base/index.ts';
import { NodeProcess } from '../interop/harness/node-process.ts';
import { RespConnection } from '../interop/harness/resp-connection.ts';
import { until } from '../interop/harness/until.ts';
import { CuttingProxy } from './cutting-proxy.ts';

export interface CutRounds {
  readonly master: { readonly exe: string; readonly port: number };
  readonly replica: { readonly exe: string; readonly port: number };
  readonly dir: string;
  readonly rounds: number;
  readonly seed: number;
  /** Called after each cut. */
  readonly progress?: (round: number) => void;
}

const SYNC_BOUND_MS = 30_000;
const BYTES_UNTIL_CUT_MAX = 200_000;
const WRITERS = 2;
const KEYS = 200;
const PIPELINE = 20;
const CONFIG = [
  'repl-diskless-sync yes',
  'repl-diskless-sync-delay 0',
  'repl-backlog-size 64mb',
  'enable-debug-command yes',
];

/** Runs the rounds; throws when the data differ or were copied twice. Returns how many commands were written. */
export async function cutRounds(options: CutRounds): Promise<number> {
  const { rounds, dir } = options;
  const rng = seededRng(options.seed);
  const [master, replica] = (['master', 'replica'] as const).map(
    (role) => new NodeProcess({ ...options[role], dir: `${dir}/${role}`, config: CONFIG }),
  ) as [NodeProcess, NodeProcess];
  let isCutting = false;
  const proxy = await CuttingProxy.open(master.port, () =>
    isCutting ? 1 + rng.below(BYTES_UNTIL_CUT_MAX) : Infinity,
  );
  try {
    await Promise.all([master.start(), replica.start()]);
    await replica.call('REPLICAOF', '127.0.0.1', proxy.port);
    await until(() => isUp(replica), SYNC_BOUND_MS, 'the first synchronisation');
    const load = new Load(master.port, rng);
    isCutting = true;
    await replica.call('CLIENT', 'KILL', 'TYPE', 'master');
    for (let round = 1; round <= rounds; round++) {
      await until(() => proxy.cutCount >= round, SYNC_BOUND_MS, `cut ${round}`);
      options.progress?.(round);
    }
    isCutting = false;
    await load.stop();
    await until(() => areLevel(master, replica), SYNC_BOUND_MS, 'the replica has everything');
    await compare(master, replica);
    return load.commandCount;
  } finally {
    proxy.close();
    await Promise.all([master.kill(), replica.kill()]);
  }
}

async function isUp(replica: NodeProcess): Promise<boolean> {
  return (await replica.facts('INFO', 'replication')).get('master_link_status') === 'up';
}

async function offset(node: NodeProcess): Promise<string | undefined> {
  return (await node.facts('INFO', 'replication')).get('master_repl_offset');
}

async function areLevel(master: NodeProcess, replica: NodeProcess): Promise<boolean> {
  return (await offset(master)) === (await offset(replica));
}

async function compare(master: NodeProcess, replica: NodeProcess): Promise<void> {
  const full = (await master.facts('INFO', 'stats')).get('sync_full');
  if (full !== '1') throw new Error(`${full} full synchronisations, where one was enough`);
  const digests = await Promise.all([master, replica].map((node) => node.text('DEBUG', 'DIGEST')));
  if (digests[0] !== digests[1])
    throw new Error(`master and replica differ: ${digests.join(', ')}`);
}

/** Writers with commands of several types, some of them in transactions. */
class Load {
  commandCount = 0;
  readonly #writing: Promise<unknown>;
  #isOver = false;

  constructor(port: number, rng: Rng) {
    this.#writing = Promise.all(Array.from({ length: WRITERS }, () => this.#write(port, rng)));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#writing;
  }

  async #write(port: number, rng: Rng): Promise<void> {
    const connection = await RespConnection.open(port);
    while (!this.#isOver) {
      const changes = Array.from({ length: PIPELINE }, () => change(rng));
      const isTransaction = rng.below(4) === 0;
      const calls = isTransaction ? [['MULTI'], ...changes, ['EXEC']] : changes;
      await Promise.all(calls.map((call) => connection.call(...call)));
      this.commandCount += PIPELINE;
      await pause(1);
    }
    connection.close();
  }
}

function change(rng: Rng): (string | number)[] {
  const key = rng.below(KEYS);
  const value = 'v'.repeat(rng.below(100));
  switch (rng.below(7)) {
    case 0:
      return ['SET', `string:${key}`, value];
    case 1:
      return ['INCR', `counter:${key}`];
    case 2:
      return ['RPUSH', `list:${key}`, value, key];
    case 3:
      return ['LPOP', `list:${key}`];
    case 4:
      return ['ZADD', `zset:${key}`, rng.below(1000), `member:${rng.below(50)}`];
    case 5:
      return ['SPOP', `set:${key}`];
    default:
      return ['SADD', `set:${key}`, rng.below(1000), rng.below(1000)];
  }
}
