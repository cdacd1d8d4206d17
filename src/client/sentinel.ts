/** Where a master is, as its Sentinels know it. */
import type { Reply } from '../resp/index.ts';
import { type NodeAddress, formatAddress } from './address.ts';
import { ClientError } from './errors.ts';
import { replyItems, replyText } from './reply-text.ts';
import { type ConnectOptions, RespClient } from './resp-client.ts';

/**
 * The address of the master called `name`, from the first of the `sentinels` that knows it; user, password, TLS and
 * database are those written for the Sentinel that answered, whose own login they are tried as too. Throws ClientError
 * `NO_NODE`.
 */
export async function findMaster(
  sentinels: readonly NodeAddress[],
  name: string,
  timeoutMs: number,
): Promise<NodeAddress> {
  let cause: unknown;
  for (const address of sentinels) {
    try {
      const [host, port] = replyItems(await ask(address, name, timeoutMs));
      if (port !== undefined)
        return { ...address, host: replyText(host), port: Number(replyText(port)) };
      cause ??= new Error(`${formatAddress(address)} knows no such master`);
    } catch (error) {
      cause ??= error;
    }
  }
  const reason = cause instanceof Error ? cause.message : 'no Sentinel given';
  throw new ClientError('NO_NODE', `Cannot find the master "${name}": ${reason}`, cause);
}

/**
 * A connection to a Sentinel; without the login where it has none itself, because then it is meant for the master. Throws
 * ClientError.
 */
export async function connectSentinel(options: ConnectOptions): Promise<RespClient> {
  try {
    return await RespClient.connect(options);
  } catch (error) {
    const isRefused = error instanceof ClientError && error.code === 'REFUSED';
    if (!isRefused || !/called without any password/.test(error.message)) throw error;
    const { username: _user, password: _password, ...others } = options;
    return RespClient.connect(others);
  }
}

async function ask(address: NodeAddress, name: string, timeoutMs: number): Promise<Reply> {
  const client = await connectSentinel({ ...address, db: 0, timeoutMs });
  try {
    return await client.call('SENTINEL', 'get-master-addr-by-name', name);
  } finally {
    client.close();
  }
}
