/** PFAIL is one node's view; FAIL is what a majority of the masters reported within a short time. */
import { nodeId } from '../base/index.ts';
import type { ClusterContext } from './context.ts';
import { majority } from './rules.ts';
import { broadcastFail, broadcastPong } from './sending.ts';
import type { ClusterNode } from './types.ts';

/** A report counts for this many node time-outs. Source: Redis 7.0, FAIL_REPORT_VALIDITY_MULT. */
const REPORT_VALIDITY_TIMEOUTS = 2;
/** FAIL of a master with slots may be undone after this many node time-outs. Source: FAIL_UNDO_TIME_MULT. */
const UNDO_TIMEOUTS = 2;

export function addFailureReport(c: ClusterContext, node: ClusterNode, by: ClusterNode): void {
  const isNew = !node.failureReports.has(by);
  node.failureReports.set(by, c.now.mono);
  if (isNew) c.log({ name: 'reportedDown', by: by.id, node: node.id });
}

export function removeFailureReport(c: ClusterContext, node: ClusterNode, by: ClusterNode): void {
  if (node.failureReports.delete(by)) c.log({ name: 'reportedUp', by: by.id, node: node.id });
}

/** Reports still valid. */
export function countFailureReports(c: ClusterContext, node: ClusterNode): number {
  const validMs = c.options.nodeTimeoutMs * REPORT_VALIDITY_TIMEOUTS;
  for (const [by, at] of node.failureReports) {
    if (c.since(at) > validMs) node.failureReports.delete(by);
  }
  return node.failureReports.size;
}

/**
 * We cannot reach the node.
 * Divergence: the real server lets the news travel with its ordinary pings, up to a second; we tell the other voters
 * and the node's replicas at once, so that the majority is known sooner. It costs one packet to each of them.
 */
export function markPfail(c: ClusterContext, node: ClusterNode): void {
  node.health = 'pfail';
  c.log({ name: 'possiblyFailing', node: node.id });
  c.updateWanted = true;
  markFailIfAgreed(c, node);
  if (node.health === 'pfail' && c.myself.role === 'master' && c.myself.slotCount > 0) {
    broadcastPong(c, (other) => other !== node && (other.slotCount > 0 || other.master === node));
  }
}

/** PFAIL becomes FAIL, for everyone, when the majority of masters with slots agrees. */
export function markFailIfAgreed(c: ClusterContext, node: ClusterNode): void {
  if (node.health !== 'pfail') return;
  const votes = countFailureReports(c, node) + (c.myself.role === 'master' ? 1 : 0);
  if (votes < majority(c.size)) return;
  c.log({ name: 'markedFail', node: node.id });
  markFail(c, node);
  broadcastFail(c, node);
}

export function markFail(c: ClusterContext, node: ClusterNode): void {
  node.health = 'fail';
  node.failedAt = c.now.mono;
  c.save('save');
  c.updateWanted = true;
  // The election is scheduled in this same step rather than at the next tick.
  if (c.myself.master === node) c.failoverWanted = true;
}

export function failReceived(c: ClusterContext, from: ClusterNode, aboutId: string): void {
  const node = c.nodes.get(nodeId(aboutId));
  if (node === undefined) {
    c.log({ name: 'failIgnored', from: from.id, about: aboutId });
    return;
  }
  if (node === c.myself || node.health === 'fail') return;
  c.log({ name: 'failReceived', from: from.id, about: node.id });
  markFail(c, node);
}

/**
 * A node flagged FAIL answered. Nodes without slots come back at once. A master with slots comes back only when
 * nobody took its slots for so long that nobody will.
 */
export function clearFailIfPossible(c: ClusterContext, node: ClusterNode): void {
  if (node.health !== 'fail') return;
  if (node.role === 'replica' || node.slotCount === 0) {
    const as = node.role === 'replica' ? 'replica' : 'slotless';
    c.log({ name: 'failCleared', node: node.id, as });
  } else if (
    node.role === 'master' &&
    (node.failedAt === undefined ||
      c.since(node.failedAt) > c.options.nodeTimeoutMs * UNDO_TIMEOUTS)
  ) {
    c.log({ name: 'failUndone', node: node.id });
  } else {
    return;
  }
  node.health = 'ok';
  node.failedAt = undefined;
  c.save('save');
  c.updateWanted = true;
}

/** The pong that we waited for has come. */
export function pongReceived(c: ClusterContext, node: ClusterNode): void {
  node.pongReceivedAt = c.now.mono;
  node.pingSentAt = undefined;
  if (node.health === 'pfail') {
    node.health = 'ok';
    c.save('save');
    c.updateWanted = true;
  } else if (node.health === 'fail') {
    clearFailIfPossible(c, node);
  }
}
