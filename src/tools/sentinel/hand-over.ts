/** Whether a Sentinel can have a master hand over, so that no acknowledged write is lost. */
import { type RespClient, replyFacts, replyItems } from '../../client/index.ts';
import type { Reply } from '../../resp/index.ts';
import { ToolError } from '../errors.ts';
import { ask } from './ask.ts';

/** Both must know how: the Sentinel the word COORDINATED, and the master the command FAILOVER. */
export async function canHandOver(client: RespClient, name: string): Promise<boolean> {
  if (!(await knowsWord(client))) return false;
  return tellsOfFailover(await ask(client, 'INFO-CACHE', name));
}

/** Asks for a master that cannot be: who knows the word complains about the name, others about the word. */
async function knowsWord(client: RespClient): Promise<boolean> {
  try {
    await ask(client, 'FAILOVER', '', 'COORDINATED');
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return !isUnknownWord(error);
  }
  return true;
}

/** Sentinels of Redis, and of Valkey before version 9, take a name and nothing else. */
export function isUnknownWord({ message }: ToolError): boolean {
  return /wrong number of arguments/i.test(message);
}

/**
 * Whether INFO of the master tells of failovers, as Redis from 6.2 on does. `reply`: SENTINEL INFO-CACHE of one name, which
 * is that name and a list of `[age, INFO]`, the master's first.
 */
export function tellsOfFailover(reply: Reply): boolean {
  const [, nodes] = replyItems(reply);
  const [master] = replyItems(nodes);
  const [, info] = replyItems(master);
  return replyFacts(info).has('master_failover_state');
}
