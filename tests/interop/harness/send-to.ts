/** Commands to a cluster at rest. */
import type { Cluster } from './cluster.ts';
import type { Send } from './samples.ts';

/** Follows MOVED once, which is enough while no slot moves. */
export function sendTo(cluster: Cluster): Send {
  return async (...args) => {
    try {
      return await cluster.node(0).call(...args);
    } catch (error) {
      const port = Number(/^MOVED \d+ \S*:(\d+)$/.exec((error as Error).message)?.[1]);
      const owner = cluster.nodes.find((node) => node.port === port);
      if (owner === undefined) throw error;
      return owner.call(...args);
    }
  };
}
