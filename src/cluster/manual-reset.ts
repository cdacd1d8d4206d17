/** The end of a manual failover, however it ends. */
import type { ClusterContext } from './context.ts';

/**
 * Towards its end a master that hands over does not tell its offset any more: the replica could take that for the answer
 * to a request that is still on its way to us, and win after our clients write again.
 */
const SILENT_AT_END_MS = 1000;

/** Whether our pings say that writes are paused, and at which offset. */
export function tellsPausedOffset({ manualFailover: failover, now }: ClusterContext): boolean {
  return failover.state === 'serving' && failover.deadline - now.mono > SILENT_AT_END_MS;
}

export function checkManualTimeout(c: ClusterContext): void {
  if (c.manualFailover.state === 'idle' || c.now.mono <= c.manualFailover.deadline) return;
  c.log({ name: 'manualFailoverTimedOut' });
  resetManualFailover(c);
}

/** Back to normal; a master lets its clients write again. */
export function resetManualFailover(c: ClusterContext): void {
  if (c.manualFailover.state === 'serving') c.emit({ kind: 'unpauseWrites' });
  c.manualFailover = { state: 'idle' };
  c.reservedEpoch = undefined;
}
