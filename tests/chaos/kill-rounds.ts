/**
 * A node with an append-only log under load is killed at random moments and started again: what it acknowledged is there,
 * once. Writers count, push numbers in order, and add members, so that a loss, a repetition and a write that came
 * back later all show.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Rng, seededRng } from '../../src/base/index.ts';
import { NodeProcess } from '../interop/harness/node-process.ts';
import { RespConnection } from '../interop/harness/resp-connection.ts';

export interface KillRounds {
  readonly exe: string;
  readonly port: number;
  readonly dir: string;
  readonly rounds: number;
  readonly seed: number;
  /** Lines of its configuration. */
  readonly config: readonly string[];
  /** Called after each round. */
  readonly progress?: (round: number, acknowledged: number) => void;
}

const WRITERS = 8;
const LIFE_MS_MIN = 20;
const LIFE_MS_MAX = 250;
/** Out of ten lives, so many see a rewrite of the log. */
const REWRITES_OF_TEN = 4;

interface Writer {
  readonly id: number;
  /** Numbers that were sent, and of those the acknowledged. */
  sent: number;
  acknowledged: number;
}

/** Runs the rounds; returns how many writes were acknowledged in all, or throws at the first that is missing. */
export async function killRounds(options: KillRounds): Promise<number> {
  const { exe, port, dir, config, rounds } = options;
  const rng = seededRng(options.seed);
  const node = new NodeProcess({ exe, port, dir, config });
  const writers = Array.from({ length: WRITERS }, (_, id) => ({ id, sent: 0, acknowledged: 0 }));
  try {
    for (let round = 1; round <= rounds; round++) {
      await node.start();
      await checkAll(node, writers, round);
      await live(node, writers, rng);
      options.progress?.(round, total(writers));
    }
    await node.start();
    await checkAll(node, writers, rounds + 1);
  } finally {
    await node.kill();
  }
  return total(writers);
}

function total(writers: readonly Writer[]): number {
  return writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
}

/** One life: all writers at once, perhaps a rewrite, and the end in the middle of it. */
async function live(node: NodeProcess, writers: readonly Writer[], rng: Rng): Promise<void> {
  const writing = writers.map((writer) => write(node.port, writer));
  const lifeMs = LIFE_MS_MIN + rng.below(LIFE_MS_MAX - LIFE_MS_MIN);
  const rewriteAt = rng.below(10) < REWRITES_OF_TEN ? rng.below(lifeMs) : lifeMs;
  await pause(rewriteAt);
  if (rewriteAt < lifeMs) await node.call('BGREWRITEAOF');
  await pause(lifeMs - rewriteAt);
  await node.kill();
  await Promise.all(writing);
}

/** Sends number after number until the connection breaks. */
async function write(port: number, writer: Writer): Promise<void> {
  const connection = await RespConnection.open(port);
  const { id } = writer;
  for (;;) {
    const number = ++writer.sent;
    try {
      await connection.call('MULTI');
      await connection.call('SET', `last:${id}`, number);
      await connection.call('RPUSH', `list:${id}`, number);
      await connection.call('SADD', `set:${id}`, number);
      await connection.call('EXEC');
    } catch {
      // Killed: whether this one counts is the node's to say.
      return;
    }
    writer.acknowledged = number;
  }
}

async function checkAll(
  node: NodeProcess,
  writers: readonly Writer[],
  round: number,
): Promise<void> {
  for (const writer of writers) await check(node, writer, round);
}

/** What the node has must be a beginning of what was sent that ends at or after the last acknowledged. */
async function check(node: NodeProcess, writer: Writer, round: number): Promise<void> {
  const { id, acknowledged, sent } = writer;
  const last = Number((await node.call('GET', `last:${id}`)) ?? 0);
  const list = (await node.call('LRANGE', `list:${id}`, 0, -1)) as string[];
  const members = Number(await node.call('SCARD', `set:${id}`));
  const numbers = list.map(Number);
  const isWhole = numbers.every((number, i) => number === i + 1);
  if (isWhole && last >= acknowledged && last <= sent && list.length === last && members === last) {
    writer.sent = last;
    writer.acknowledged = last;
    return;
  }
  throw new Error(
    `round ${round}, writer ${id}: acknowledged ${acknowledged}, sent ${sent}, but it has ${last}, a list of ` +
      `${list.length}${isWhole ? '' : ' with gaps or repetitions'} and ${members} members`,
  );
}
