/** Which replica becomes the master. */
import type { SentinelContext } from './context.ts';
import { isConnected } from './links.ts';
import type { CandidateFacts } from './rules.ts';
import type { Master, Replica } from './types.ts';

/** PING periods within which a candidate must have answered. */
const AVAILABLE_PERIODS = 5;
/** INFO periods within which its INFO must be; while the master is SDOWN it comes with every PING. */
const INFO_PERIODS = 3;
/** How often down-after a candidate may have been without its master before that was SDOWN. */
const LINK_DOWN_FACTOR = 10;

/** The replica with the best priority, then the most data, then the smallest run id; undefined when none will do. */
export function selectReplica(c: SentinelContext, master: Master): Replica | undefined {
  const { sdownSince, settings, replicas } = master;
  const isDown = sdownSince !== undefined;
  const limits = {
    sinceAvailableMsMax: c.periods.ping * AVAILABLE_PERIODS,
    sinceInfoMsMax: isDown ? c.periods.ping * AVAILABLE_PERIODS : c.periods.info * INFO_PERIODS,
    masterLinkDownMsMax:
      (isDown ? c.since(sdownSince) : 0) + settings.downAfterMs * LINK_DOWN_FACTOR,
  };
  let best: { readonly replica: Replica; readonly facts: CandidateFacts } | undefined;
  for (const replica of replicas.values()) {
    const facts = factsOf(c, replica);
    if (!c.rules.isCandidate(facts, limits)) continue;
    if (best === undefined || c.rules.compareCandidates(facts, best.facts) < 0) {
      best = { replica, facts };
    }
  }
  return best?.replica;
}

function factsOf(c: SentinelContext, replica: Replica): CandidateFacts {
  return {
    priority: replica.priority,
    replOffset: replica.replOffset,
    runId: replica.runId,
    isUp: replica.sdownSince === undefined,
    isConnected: isConnected(replica.link),
    isAnnounced: replica.isAnnounced,
    sinceAvailableMs: c.since(replica.link.lastAvailableAt),
    sinceInfoMs: replica.infoAt === undefined ? undefined : c.since(replica.infoAt),
    masterLinkDownMs: replica.masterLinkDownMs,
  };
}
