/** A master moves: by our own failover, or by another Sentinel's of which we hear. */
import type { SentinelContext } from './context.ts';
import { moveMaster } from './instances.ts';
import { announceChange } from './scripts.ts';
import type { Address, Master } from './types.ts';

/** Tells everybody that a master is elsewhere, and watches it there. */
export function switchMaster(
  c: SentinelContext,
  master: Master,
  to: Address,
  as: 'leader' | 'observer',
): void {
  const from = master.address;
  c.tell(
    'warning',
    '+switch-master',
    `${master.name} ${c.announced(from)} ${from.port} ${c.announced(to)} ${to.port}`,
    master,
  );
  // The leader has told its script when the replica was promoted.
  if (as === 'observer') announceChange(c, master, { as, from, to });
  moveMaster(c, master, to);
}
