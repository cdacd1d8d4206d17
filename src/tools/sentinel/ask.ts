/** What a Sentinel answers, as values. */
import {
  ClientError,
  type NodeAddress,
  type RespClient,
  formatAddress,
  replyItems,
  replyText,
} from '../../client/index.ts';
import type { Reply } from '../../resp/index.ts';
import { callNode, connectNode } from '../cluster/index.ts';
import { ToolError } from '../errors.ts';

/** Fields of one master, replica or Sentinel. Source: replies of SENTINEL MASTERS and its like. */
export type Facts = ReadonlyMap<string, string>;

/** Connects to the first Sentinel that answers. */
async function connectSentinel(seeds: readonly NodeAddress[]): Promise<RespClient> {
  let failure: unknown;
  for (const address of seeds) {
    try {
      return await connectNode(address);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure ?? new ClientError('NO_NODE', 'No Sentinel to ask: name one as host:26379');
}

/** Does `work` with the first Sentinel that answers. Throws ToolError `NODE_FAILED` when none does. */
export async function withSentinel<T>(
  seeds: readonly NodeAddress[],
  work: (client: RespClient) => Promise<T>,
): Promise<T> {
  const client = await connectSentinel(seeds);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** All masters that it watches. Throws ToolError `NODES_REFUSED` for a node that is no Sentinel. */
export async function mastersOf(client: RespClient): Promise<readonly Facts[]> {
  return (await listOf(client, 'MASTERS')).toSorted((a, b) =>
    fact(a, 'name') < fact(b, 'name') ? -1 : 1,
  );
}

/** The one that `name` says, or the only one there is. Throws ToolError `USAGE`. */
export async function masterOf(client: RespClient, name: string | undefined): Promise<Facts> {
  const masters = await mastersOf(client);
  const names = masters.map((facts) => fact(facts, 'name')).join(', ');
  if (name === undefined) {
    const [only] = masters;
    if (only !== undefined && masters.length === 1) return only;
    const what = masters.length === 0 ? 'no master' : `several masters, name one of: ${names}`;
    throw new ToolError('USAGE', `Sentinel ${client.name} watches ${what}`);
  }
  const found = masters.find((facts) => fact(facts, 'name') === name);
  if (found !== undefined) return found;
  const known = names === '' ? 'none' : names;
  const message = `Cannot find the master "${name}" at Sentinel ${client.name}: it watches ${known}`;
  throw new ToolError('USAGE', message);
}

export async function listOf(
  client: RespClient,
  what: string,
  ...args: readonly string[]
): Promise<readonly Facts[]> {
  return replyItems(await ask(client, what, ...args)).map(factsIn);
}

/** SENTINEL with these words. Throws ToolError `NODES_REFUSED` for a node that is no Sentinel. */
export async function ask(client: RespClient, ...words: readonly string[]): Promise<Reply> {
  try {
    return await callNode(client, 'SENTINEL', ...words);
  } catch (error) {
    if (!(error instanceof ToolError) || !/unknown command/i.test(error.message)) throw error;
    const message = `Node ${client.name} is no Sentinel: name one, they listen on 26379 as a rule`;
    throw new ToolError('NODES_REFUSED', message, error);
  }
}

export function fact(facts: Facts, name: string): string {
  return facts.get(name) ?? '';
}

export function flagsOf(facts: Facts): readonly string[] {
  return fact(facts, 'flags').split(',');
}

/** Whether a replica is up and follows its master. */
export function isUsable(replica: Facts): boolean {
  return !flagsOf(replica).includes('s_down') && fact(replica, 'master-link-status') === 'ok';
}

/** Whether it could be promoted too. */
export function couldTakeOver(replica: Facts): boolean {
  return isUsable(replica) && fact(replica, 'slave-priority') !== '0';
}

export function addressOf(facts: Facts): string {
  return formatAddress({ host: fact(facts, 'ip'), port: Number(fact(facts, 'port')) });
}

function factsIn(reply: Reply): Facts {
  const words = replyItems(reply).map(replyText);
  const facts = new Map<string, string>();
  for (let i = 0; i + 1 < words.length; i += 2) facts.set(words[i]!, words[i + 1]!);
  return facts;
}
