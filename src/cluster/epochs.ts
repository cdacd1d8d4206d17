/** The two epochs: configEpoch says whose claim on a slot is newer, currentEpoch numbers the elections. */
import { type ClusterContext, isMute } from './context.ts';
import { isHandoverOpen } from './slot-transfers.ts';
import type { ClusterNode } from './types.ts';

export function highestEpoch(c: ClusterContext): number {
  return c.nodeList.reduce((max, node) => Math.max(max, node.configEpoch), c.currentEpoch);
}

/**
 * Takes a fresh configEpoch without asking anyone: for TAKEOVER, an import that ends, and BUMPEPOCH.
 * @returns whether a new one was needed
 * Source: 7.2 cluster.c, clusterBumpConfigEpochWithoutConsensus().
 */
export function bumpConfigEpoch(c: ClusterContext): boolean {
  const highest = highestEpoch(c);
  const { myself } = c;
  if (myself.configEpoch !== 0 && myself.configEpoch === highest) return false;
  c.currentEpoch = highest + 1;
  myself.configEpoch = c.currentEpoch;
  c.save('fsync');
  c.log({ name: 'epochBumped', epoch: myself.configEpoch });
  return true;
}

/**
 * Two masters with one configEpoch cannot tell whose slot claim is newer. The one with the smaller id moves on to a
 * fresh epoch; the other waits, so that they part in one round.
 * Source: 7.2 cluster.c, clusterHandleConfigEpochCollision().
 */
export function partEpochs(c: ClusterContext, other: ClusterNode): void {
  const { myself } = c;
  if (myself.role !== 'master' || other.role !== 'master') return;
  if (other.configEpoch !== myself.configEpoch || other.id <= myself.id) return;
  // Both ends of a handover count on this node's epoch; they part when it is over.
  if (isHandoverOpen(c)) return;
  // Whoever takes our place must find an epoch that beats ours.
  if (isMute(c)) return;
  c.currentEpoch++;
  myself.configEpoch = c.currentEpoch;
  c.save('fsync');
  c.log({ name: 'epochCollision', node: other.id, epoch: myself.configEpoch });
}

/**
 * Takes the epoch of the coming election now, while the master still serves, so that no disk write stands between its
 * pause and the request for votes. An epoch nobody stands in does no harm, and one vote per voter and epoch stays true.
 * Divergence: the real server takes and saves it when it asks for votes, in the middle of the pause.
 */
export function reserveEpoch(c: ClusterContext): void {
  c.currentEpoch++;
  c.reservedEpoch = c.currentEpoch;
  voteForMyself(c);
}

/** The epoch to stand in: the reserved one unless the cluster has moved on, else a new one, to be saved first. */
export function takeElectionEpoch(c: ClusterContext): number {
  const reserved = c.reservedEpoch;
  c.reservedEpoch = undefined;
  const isFree = c.nodeList.every((node) => node.configEpoch !== reserved);
  if (reserved !== undefined && reserved === c.currentEpoch && isFree) return reserved;
  c.currentEpoch++;
  voteForMyself(c);
  return c.currentEpoch;
}

/**
 * Whoever stands in an epoch votes for nobody else in it, also not as the master that it becomes by winning: the seat
 * it takes over may have voted already.
 * Divergence: the real server does not exclude this.
 */
function voteForMyself(c: ClusterContext): void {
  c.lastVoteEpoch = c.currentEpoch;
  c.save('fsync');
}
