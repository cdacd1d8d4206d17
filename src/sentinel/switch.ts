/** A master moves: by our own failover, or by another Sentinel's of which we hear. */
import type { SentinelContext } from './context.ts';
import { moveMaster } from './instances.ts';
import { announceChange } from './scripts.ts';
import type { Address, Master } from './types.ts';

/** Tells everybody that a master is elsewhere, and watches it there. `from`: where it was so far. */
export function switchMaster(
  c: SentinelContext,
  master: Master,
  change: { readonly as: 'leader' | 'observer'; readonly from: Address; readonly to: Address },
): void {
  const { as, from, to } = change;
  c.tell(
    'warning',
    '+switch-master',
    `${master.name} ${c.announced(from)} ${from.port} ${c.announced(to)} ${to.port}`,
    master,
  );
  // The leader has told its script when the replica was promoted.
  if (as === 'observer') announceChange(c, master, change);
  moveMaster(c, master, to);
}
