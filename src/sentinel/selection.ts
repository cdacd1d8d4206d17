/** Which replica becomes the master. */
import { earlier } from '../base/index.ts';
import type { SentinelContext } from './context.ts';
import { WRONG_ROLE_INFO_PERIODS } from './down.ts';
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
  const { reportedRole, reportedRoleAt, sdownSince, settings, replicas } = master;
  const isDown = sdownSince !== undefined;
  // One that calls itself a replica has served nobody since then, which shows with its INFO only.
  const isLost = reportedRole === 'replica';
  const lostSince = earlier(sdownSince, isLost ? reportedRoleAt : undefined);
  const noticedLateMs = isLost ? c.periods.info * WRONG_ROLE_INFO_PERIODS : 0;
  const limits = {
    sinceAvailableMsMax: c.periods.ping * AVAILABLE_PERIODS,
    sinceInfoMsMax: isDown ? c.periods.ping * AVAILABLE_PERIODS : c.periods.info * INFO_PERIODS,
    masterLinkDownMsMax:
      (lostSince === undefined ? 0 : c.since(lostSince)) +
      noticedLateMs +
      settings.downAfterMs * LINK_DOWN_FACTOR,
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
