/** Whether looks at an instance may be rare. */
import type { SentinelContext } from './context.ts';
import { downAfterMs, isFullyConnected } from './links.ts';
import type { Instance } from './types.ts';

/** An answer later than this makes looks frequent. */
const LATE_MS = 100;
/** Nodes that must answer sooner are never looked at calmly. */
const CALM_DOWN_AFTER_MS = 1000;

/** Whether nothing is expected of an instance before long. */
export function isCalm(c: SentinelContext, instance: Instance): boolean {
  const { link, sdownSince, role } = instance;
  if (downAfterMs(instance) < CALM_DOWN_AFTER_MS) return false;
  if (role === 'master' && (sdownSince !== undefined || instance.failover.state !== 'none')) {
    return false;
  }
  // One that is gone stays so, mostly.
  if (sdownSince !== undefined) return true;
  return (
    isFullyConnected(instance) &&
    (link.unansweredSince === undefined || c.since(link.unansweredSince) < LATE_MS)
  );
}
