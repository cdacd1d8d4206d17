/**
 * Asking the majority: pings to every voter and a count of the pongs that answer them. A link keeps its order, so a pong
 * that is the answer says that its sender had taken in what the ping said.
 */
import { type ClusterContext, isVotingMaster } from './context.ts';
import { majority } from './rules.ts';
import { sendPing } from './sending.ts';
import type { BusRound } from './transfer-types.ts';
import type { ClusterNode, Link } from './types.ts';

export function votersNow(c: ClusterContext): ClusterNode[] {
  return c.nodeList.filter((node) => isVotingMaster(node));
}

/** Tells all voters what this node claims; won when the majority has taken it in. */
export function beginRound(c: ClusterContext, voters: readonly ClusterNode[]): BusRound {
  const awaited = new Map<ClusterNode, { link: Link; pongs: number }>();
  for (const node of voters) {
    const { link, pingSentAt } = node;
    if (link?.isOpen !== true) continue;
    sendPing(c, link, 'ping');
    // A ping that was pending keeps its time, or its silence would seem shorter than it is.
    if (pingSentAt !== undefined) node.pingSentAt = pingSentAt;
    awaited.set(node, { link, pongs: link.pingsSent });
  }
  return { startedAt: c.now.mono, voters, awaited };
}

/**
 * Asks on the voters' own connections to us. Whoever knows better than a claim of ours says so in an UPDATE on that
 * connection, so that behind two more pongs there nothing of the kind is on its way any more.
 */
export function beginReturnRound(c: ClusterContext, voters: readonly ClusterNode[]): BusRound {
  const awaited = new Map<ClusterNode, { link: Link; pongs: number }>();
  for (const node of voters) {
    const link = node.inboundLink;
    if (link === undefined) continue;
    sendPing(c, link, 'ping');
    sendPing(c, link, 'ping');
    awaited.set(node, { link, pongs: link.pongsReceived + 2 });
  }
  return { startedAt: c.now.mono, voters, awaited };
}

export function isRoundWon(c: ClusterContext, round: BusRound): boolean {
  let count = 0;
  for (const node of round.voters) {
    const asked = round.awaited.get(node);
    const isAnswered =
      asked !== undefined && c.links.has(asked.link.id) && asked.link.pongsReceived >= asked.pongs;
    if (node === c.myself || isAnswered) count++;
  }
  return count >= majority(round.voters.length);
}
