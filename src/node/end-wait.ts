/** CLIENT UNBLOCK: ends a client's wait before its time. */
import type { Client } from './client.ts';

interface WaitHost {
  readonly replication: { acknowledgedCount(offset: number): number };
  unblock(client: Client): void;
}

/** Answers a waiting client as if its time were over, or with an error; false when it does not wait. */
export function endWait(host: WaitHost, client: Client, reason: 'timeout' | 'error'): boolean {
  const { blocked, reply } = client;
  if (blocked?.kind !== 'wait') return false;
  if (reason === 'error') reply.error('UNBLOCKED client unblocked via CLIENT UNBLOCK');
  else reply.int(host.replication.acknowledgedCount(blocked.replOffset));
  host.unblock(client);
  return true;
}
