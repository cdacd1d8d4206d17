/** The end of a manual failover, however it ends. */
import type { ClusterContext } from './context.ts';

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
