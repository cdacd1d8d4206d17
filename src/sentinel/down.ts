/** SDOWN, what one Sentinel sees, and ODOWN, what a quorum of them sees. */
import type { SentinelContext } from './context.ts';
import { downAfterMs, dropDeadConnections, isConnected, request } from './links.ts';
import type { Instance, Master, Peer } from './types.ts';

/** INFO periods for which a master may call itself a replica. */
export const WRONG_ROLE_INFO_PERIODS = 2;
/** ASK periods after which the opinion of another Sentinel counts no more. */
const OPINION_PERIODS = 5;

export function checkSdown(c: SentinelContext, instance: Instance): void {
  dropDeadConnections(c, instance);
  if (isDown(c, instance)) {
    if (instance.sdownSince !== undefined) return;
    instance.sdownSince = c.now.mono;
    if (instance.role === 'replica') instance.lastSdownAt = c.now.mono;
    c.event('warning', '+sdown', instance);
  } else if (instance.sdownSince !== undefined) {
    instance.sdownSince = undefined;
    instance.isScriptKillSent = false;
    c.event('warning', '-sdown', instance);
  }
}

function isDown(c: SentinelContext, instance: Instance): boolean {
  if (silenceMs(c, instance) > downAfterMs(instance)) return true;
  if (instance.role !== 'master') return false;
  const { rebootedAt, settings } = instance;
  if (rebootedAt !== undefined && c.since(rebootedAt) > settings.rebootDownAfterMs) return true;
  if (instance.reportedRole === 'master') return false;
  const wrongMsMax = settings.downAfterMs + c.periods.info * WRONG_ROLE_INFO_PERIODS;
  return c.since(instance.reportedRoleAt) > wrongMsMax;
}

/** For how long it owes us an answer. */
function silenceMs(c: SentinelContext, { link }: Instance): number {
  if (link.unansweredSince !== undefined) return c.since(link.unansweredSince);
  return isConnected(link) ? 0 : c.since(link.lastAvailableAt);
}

export function checkOdown(c: SentinelContext, master: Master): void {
  const count = master.sdownSince === undefined ? 0 : 1 + countOpinions(c, master);
  const { quorum } = master.settings;
  if (count > 0 && c.rules.isOdown(count, quorum)) {
    if (master.odownSince !== undefined) return;
    master.odownSince = c.now.mono;
    c.event('warning', '+odown', master, ` #quorum ${count}/${quorum}`);
  } else if (master.odownSince !== undefined) {
    master.odownSince = undefined;
    c.event('warning', '-odown', master);
  }
}

function countOpinions(c: SentinelContext, master: Master): number {
  let count = 0;
  for (const peer of master.sentinels.values()) {
    // In TILT nobody is asked, and what they said before counts no more after it.
    if (peer.saysMasterDown && !isOpinionOld(c, peer)) count++;
  }
  return count;
}

function isOpinionOld(c: SentinelContext, { lastOpinionAt }: Peer): boolean {
  return c.since(lastOpinionAt) > c.periods.ask * OPINION_PERIODS;
}

/**
 * Asks the other Sentinels whether they find the master SDOWN too, and during a failover for their votes. `isForced`:
 * now, whenever they were asked last.
 */
export function askOpinions(c: SentinelContext, master: Master, isForced: boolean): void {
  for (const peer of master.sentinels.values()) {
    if (isOpinionOld(c, peer)) {
      peer.saysMasterDown = false;
      peer.leader = undefined;
    }
    if (master.sdownSince === undefined || !isConnected(peer.link)) continue;
    const isRecent =
      c.since(peer.lastOpinionAt) < c.periods.ask || c.since(peer.lastAskedAt) < c.periods.ask;
    if (isRecent && !isForced) continue;
    ask(c, master, peer);
  }
}

function ask(c: SentinelContext, master: Master, peer: Peer): void {
  const { address, failover } = master;
  const isCandidate = failover.state !== 'none' && !c.isUnsaved;
  const args = [
    ...['SENTINEL', 'is-master-down-by-addr', c.announced(address), String(address.port)],
    ...[String(c.currentEpoch), isCandidate ? c.myId : '*'],
  ];
  peer.lastAskedAt = c.now.mono;
  request(c, peer, args, { kind: 'opinion', peer });
}
