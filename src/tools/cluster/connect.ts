/** Connections to the nodes a tool works on, with the user's credentials, and bounded waiting for what they report. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Argument, ClientError, type NodeAddress, RespClient } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { ToolError, asToolError } from '../errors.ts';

/**
 * Bound for one connection and one reply. A replica of redis-server 7.0.15 that waits for the rest of a line of its master
 * answers nobody for five seconds (seen with a master that sends half of one).
 */
export const REPLY_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

/** Connects, or throws ToolError `NODE_FAILED` that says why not. */
export async function connectNode(
  address: NodeAddress,
  timeoutMs: number = REPLY_TIMEOUT_MS,
): Promise<RespClient> {
  try {
    return await RespClient.connect({ ...address, db: 0, timeoutMs });
  } catch (error) {
    throw asToolError(error);
  }
}

/** An address with the credentials of another. */
export function withCredentials(
  endpoint: { readonly host: string; readonly port: number },
  like: NodeAddress,
): NodeAddress {
  return { ...like, host: endpoint.host, port: endpoint.port };
}

/** The IP address behind a host name; CLUSTER MEET takes no names. */
export async function resolveIp(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    // Real nodes listen on IPv4 unless told otherwise.
    return (await lookup(host, { order: 'ipv4first' })).address;
  } catch (error) {
    throw new ToolError('NODE_FAILED', `Cannot resolve "${host}": no address for that name`, error);
  }
}

/** Calls a command; an error reply becomes a ToolError that names the node. */
export async function callNode(
  client: RespClient,
  ...args: readonly (string | number | Buffer)[]
): Promise<Reply> {
  try {
    return await client.call(...args);
  } catch (error) {
    throw asToolError(error, client.name);
  }
}

/** Commands in one write; the first error reply becomes a ToolError that names the node. */
export async function callAll(
  client: RespClient,
  commands: readonly (readonly Argument[])[],
): Promise<Reply[]> {
  let replies: Reply[];
  try {
    replies = await client.pipeline(commands);
  } catch (error) {
    throw asToolError(error, client.name);
  }
  for (const reply of replies) {
    if (reply instanceof ReplyError) throw asToolError(reply, client.name);
  }
  return replies;
}

/**
 * Asks `isTrue` again and again until it holds. After `boundMs` throws ToolError `NOT_IN_TIME` with what `why` answers.
 */
export async function waitUntil(
  isTrue: () => Promise<boolean>,
  boundMs: number,
  why: () => Promise<string> | string,
  pollMs: number = POLL_MS,
): Promise<void> {
  const deadline = performance.now() + boundMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new ToolError('NOT_IN_TIME', await why());
    await pause(pollMs);
  }
}

/** Whether something listens at a port, tried once within `timeoutMs`. */
export async function isListening(
  endpoint: { readonly host: string; readonly port: number },
  timeoutMs: number,
): Promise<boolean> {
  try {
    (await RespClient.connect({ ...endpoint, timeoutMs })).close();
    return true;
  } catch (error) {
    if (error instanceof ClientError) return false;
    throw error;
  }
}
