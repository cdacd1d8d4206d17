/** Where a master is, as its Sentinels know it. */
import type { Reply } from '../resp/index.ts';
import { type NodeAddress, formatAddress } from './address.ts';
import { ClientError } from './errors.ts';
import { replyItems, replyText } from './reply-text.ts';
import { RespClient } from './resp-client.ts';

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

async function ask(address: NodeAddress, name: string, timeoutMs: number): Promise<Reply> {
  const command = ['SENTINEL', 'get-master-addr-by-name', name];
  let client: RespClient;
  try {
    client = await RespClient.connect({ ...address, db: 0, timeoutMs });
  } catch (error) {
    // A Sentinel without a password refuses the one that is meant for the master.
    if (!(error instanceof ClientError) || error.code !== 'REFUSED') throw error;
    const { host, port, tls } = address;
    client = await RespClient.connect({ host, port, tls, timeoutMs });
  }
  try {
    return await client.call(...command);
  } finally {
    client.close();
  }
}
