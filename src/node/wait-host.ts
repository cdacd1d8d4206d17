/** Joins the queue of waiting clients with its node. */
import type { Inside } from './inside.ts';
import type { WaitHost } from './wait-queue.ts';

export interface WaitOwner extends Inside {
  readonly replication: { acknowledgedCount(offset: number): number };
}

/** What the queue needs of its node. */
export function waitHost(node: WaitOwner): WaitHost {
  return {
    get keyspace() {
      return node.keyspace;
    },
    acknowledgedCount: (offset) => node.replication.acknowledgedCount(offset),
    unblock: (session) => {
      const client = node.client(session.id);
      if (client !== undefined) node.unblock(client);
    },
    rearm: () => node.rearm(),
    countRefused: ({ counters }, error) => {
      counters.failedCalls++;
      node.stats.countError(error);
    },
  };
}
