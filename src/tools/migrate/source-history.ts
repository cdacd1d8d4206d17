/** Whether a master's history is the one that an earlier run has carried out. */
import { type ConnectOptions, RespClient, replyFacts } from '../../client/index.ts';
import type { StoredProgress } from './stored-progress.ts';

/**
 * The replication id under which the master goes on with what was carried out; undefined when its history has another
 * past, as after a failover to a replica that lacked some. Throws ClientError.
 */
export async function canContinue(
  options: ConnectOptions,
  { position, topOffset }: StoredProgress,
): Promise<string | undefined> {
  const client = await RespClient.connect(options);
  try {
    const facts = replyFacts(await client.call('INFO', 'replication'));
    const replid = facts.get('master_replid');
    const isSame =
      replid === position.replid && Number(facts.get('master_repl_offset')) >= topOffset;
    const isSecond =
      facts.get('master_replid2') === position.replid &&
      Number(facts.get('second_repl_offset')) > topOffset;
    return isSame || isSecond ? replid : undefined;
  } finally {
    client.close();
  }
}
