/**
 * MIGRATE of the keys of one slot between two nodes, and what to do about its refusals. Keys that are on both nodes with
 * the same value count as moved; with different values somebody has to decide, so nothing is overwritten unasked.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Argument,
  type NodeAddress,
  type RawReplies,
  RequestBuffer,
  type RespClient,
} from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { ToolError, asToolError } from '../errors.ts';
import { type KeyBatch, keyAt } from '../flow/index.ts';
import { callAll } from './connect.ts';

export interface Route {
  /** Connections of their own: MIGRATE keeps one busy as long as it takes. */
  readonly source: RespClient;
  readonly target: RespClient;
  /** The target as the source reaches it, with the password it needs. */
  readonly targetAddress: NodeAddress;
  /** Bound of MIGRATE itself for one exchange of the two nodes, milliseconds. */
  readonly timeoutMs: number;
  /** The source's value wins where both nodes have one. */
  readonly isReplacing: boolean;
  /** The source keeps the keys; default: it gives them away. */
  readonly isCopying?: boolean;
}

/** Keys of one slot for one MIGRATE: `batch` from `from` (inclusive) to `to` (exclusive). */
export interface KeyRun {
  readonly batch: KeyBatch;
  readonly from: number;
  readonly to: number;
}

const TRIES_MAX = 5;
const RETRY_MS = 200;
const MINUS = 0x2d;

/** Moves `keys` of one slot; those that are gone by now are left out. Throws ToolError. */
export async function migrateKeys(route: Route, keys: readonly Buffer[]): Promise<void> {
  const refusal = await tryMigrate(route, keys, route.isReplacing);
  if (refusal !== undefined) await insist(route, keys, refusal);
}

/**
 * Moves `runs`, a MIGRATE for each, in one write: the source carries them out one after the other and answers nobody in
 * between. What was refused is tried again. Throws ToolError.
 */
export async function migrateRuns(route: Route, runs: readonly KeyRun[]): Promise<void> {
  const out = new RequestBuffer();
  const words = wordsOf(route, route.isReplacing);
  for (const { batch, from, to } of runs) {
    out.begin(words.length + to - from);
    for (const word of words) out.argument(word, 0, word.length);
    for (let i = from; i < to; i++) out.argument(batch.buf, batch.at[i] ?? 0, batch.size[i] ?? 0);
  }
  let replies: RawReplies;
  try {
    replies = await route.source.exchange(out.take(), runs.length);
  } catch (error) {
    throw asToolError(error, route.source.name);
  }
  const { buf, starts, ends } = replies;
  for (const [index, run] of runs.entries()) {
    const start = starts[index] ?? 0;
    if (buf[start] !== MINUS) continue;
    const refusal = buf.toString('utf8', start + 1, ends[index]).trimEnd();
    await insist(route, keysOfRun(run), refusal);
  }
}

/** Tries again what was refused, as often as it makes sense. */
async function insist(route: Route, keys: readonly Buffer[], refusal: string): Promise<void> {
  let isReplacing = route.isReplacing;
  let last: string | undefined = refusal;
  for (let tries = 1; tries < TRIES_MAX; tries++) {
    if (/BUSYKEY/.test(last)) {
      await decideConflicts(route, keys);
      isReplacing = true;
    } else if (last.startsWith('IOERR')) {
      // What reached the target before the time was up is older than what the source has: clients are sent to the
      // target only for keys that the source no longer has.
      isReplacing = true;
    } else if (!/CLUSTERDOWN|LOADING|MASTERDOWN|TRYAGAIN/.test(last)) {
      break;
    }
    await pause(RETRY_MS);
    const answer = await tryMigrate(route, keys, isReplacing);
    if (answer === undefined) return;
    last = answer;
  }
  throw new ToolError(
    'NODE_FAILED',
    `Cannot move keys from ${route.source.name} to ${route.target.name}: ${last}`,
  );
}

/** The text of the error reply; undefined when it went well. */
async function tryMigrate(
  route: Route,
  keys: readonly Buffer[],
  isReplacing: boolean,
): Promise<string | undefined> {
  try {
    await route.source.call(...wordsOf(route, isReplacing), ...keys);
    return undefined;
  } catch (error) {
    if (error instanceof ReplyError) return error.message;
    throw asToolError(error, route.source.name);
  }
}

/** MIGRATE up to its keys. */
function wordsOf({ targetAddress, timeoutMs, isCopying }: Route, isReplacing: boolean): Buffer[] {
  const { host, port } = targetAddress;
  const words = [
    ...['MIGRATE', host, String(port), '', '0', String(timeoutMs)],
    ...(isCopying === true ? ['COPY'] : []),
    ...(isReplacing ? ['REPLACE'] : []),
    ...login(targetAddress),
    'KEYS',
  ];
  return words.map((word) => Buffer.from(word));
}

function keysOfRun({ batch, from, to }: KeyRun): Buffer[] {
  return Array.from({ length: to - from }, (_, index) => keyAt(batch, from + index));
}

/** Returns when the source's values may replace the target's. */
async function decideConflicts(route: Route, keys: readonly Buffer[]): Promise<void> {
  const [here, there] = await Promise.all([
    callAll(
      route.source,
      keys.map((key) => ['DUMP', key]),
    ),
    importedDumps(route.target, keys),
  ]);
  for (const [index, key] of keys.entries()) {
    const [ours, theirs] = [here[index], there[index]];
    if (!Buffer.isBuffer(ours) || !Buffer.isBuffer(theirs) || ours.equals(theirs)) continue;
    throw new ToolError(
      'NODES_REFUSED',
      `Key ${JSON.stringify(key.toString())} is on ${route.source.name} and on ${route.target.name} with different values: delete one, or say --replace to keep that of ${route.source.name}`,
    );
  }
}

/** The target answers for a slot that it does not own yet because ASKING comes before. */
async function importedDumps(client: RespClient, keys: readonly Buffer[]): Promise<Reply[]> {
  const commands = keys.flatMap((key): Argument[][] => [['ASKING'], ['DUMP', key]]);
  const replies = await callAll(client, commands);
  return replies.filter((_, index) => index % 2 === 1);
}

function login({ username, password }: NodeAddress): string[] {
  if (password === undefined) return [];
  return username === undefined ? ['AUTH', password] : ['AUTH2', username, password];
}
