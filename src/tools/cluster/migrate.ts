/**
 * MIGRATE of the keys of one slot between two nodes, and what to do about its refusals. Keys that are on both nodes with
 * the same value count as moved; with different values somebody has to decide, so nothing is overwritten unasked.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Argument, type NodeAddress, type RespClient } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { ToolError, asToolError } from '../errors.ts';
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

const TRIES_MAX = 5;
const RETRY_MS = 200;

/** Moves `keys`; those that are gone by now are left out. Throws ToolError. */
export async function migrateKeys(route: Route, keys: readonly Buffer[]): Promise<void> {
  let isReplacing = route.isReplacing;
  let last = '';
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const refusal = await tryMigrate(route, keys, isReplacing);
    if (refusal === undefined) return;
    last = refusal;
    if (/BUSYKEY/.test(refusal)) {
      await decideConflicts(route, keys);
      isReplacing = true;
    } else if (refusal.startsWith('IOERR')) {
      // What reached the target before the time was up is older than what the source has: clients are sent to the
      // target only for keys that the source no longer has.
      isReplacing = true;
    } else if (!/CLUSTERDOWN|LOADING|MASTERDOWN|TRYAGAIN/.test(refusal)) {
      break;
    }
    await pause(RETRY_MS);
  }
  throw new ToolError(
    'NODE_FAILED',
    `Cannot move keys from ${route.source.name} to ${route.target.name}: ${last}`,
  );
}

/** The text of the error reply; undefined when it went well. */
async function tryMigrate(
  { source, targetAddress, timeoutMs, isCopying }: Route,
  keys: readonly Buffer[],
  isReplacing: boolean,
): Promise<string | undefined> {
  const { host, port } = targetAddress;
  const options = [
    ...(isCopying === true ? ['COPY'] : []),
    ...(isReplacing ? ['REPLACE'] : []),
    ...login(targetAddress),
  ];
  try {
    await source.call('MIGRATE', host, port, '', 0, timeoutMs, ...options, 'KEYS', ...keys);
    return undefined;
  } catch (error) {
    if (error instanceof ReplyError) return error.message;
    throw asToolError(error, source.name);
  }
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
