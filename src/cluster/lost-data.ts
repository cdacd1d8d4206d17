/**
 * A master that comes back without its data although others may have it: its replicas, which would copy its emptiness,
 * or the master in whose place it was elected when nobody heard of that. It answers no ping; once a replica with the data
 * is heard of it tells all that it is failing, so that the replica is elected at once, and votes like any master, for
 * otherwise nobody could be elected when the majority has lost its data. It steps back before a master that still serves
 * the slots, and goes on, empty, only when nobody has the data.
 * Divergence: the real server goes on at once, and every copy of the data is lost.
 */
import type { MonoMs } from '../base/index.ts';
import type { PacketHeader } from '../bus/index.ts';
import { type ClusterContext, type DataSearch, isMute, isVotingMaster } from './context.ts';
import { greet } from './links.ts';
import { becomeReplicaOf } from './roles.ts';
import { broadcastFail, repeatOwnFail, sendPing } from './sending.ts';
import { commonSlots, moveSlots } from './slot-map.ts';
import type { ClusterNode, Link } from './types.ts';

/** Time for all who may have the data to be heard of: twice the node time-out, but at least this. */
const SEARCH_MIN_MS = 2000;
const SEARCH_TIMEOUTS = 2;
/** Time for a replica with the data to be elected, a lost first attempt included. */
const SUCCESSION_MIN_MS = 10_000;
const SUCCESSION_TIMEOUTS = 6;

/** To be called when the disk had no data. */
export function beginDataSearch(c: ClusterContext): void {
  if (!isVotingMaster(c.myself) || !c.rules.looksForLostData()) return;
  const unheard = c.nodeList.filter((node) => node !== c.myself && mayHaveData(c, node));
  if (unheard.length === 0) return;
  c.dataSearch = {
    startedAt: c.now.mono,
    unheard: new Set(unheard),
    unanswered: new Set<Link>(),
    servedSince: new Map<ClusterNode, MonoMs>(),
    isFound: false,
    isDeclared: false,
  };
  c.log({ name: 'dataSearched' });
}

/** Our replicas; the master that we replaced, which has no slots any more, and those that were its replicas with us. */
function mayHaveData(c: ClusterContext, node: ClusterNode): boolean {
  const holder = node.role === 'replica' ? node.master : node;
  return holder === undefined || holder === c.myself || holder.slotCount === 0;
}

/** Takes what a ping or pong says of its sender's data; its claims have been dealt with. */
export function heardInSearch(c: ClusterContext, node: ClusterNode, header: PacketHeader): void {
  if (c.dataSearch === undefined || !isMute(c)) return;
  c.dataSearch.unheard.delete(node);
  const common = commonSlots(header.slots, c.myself.slots);
  // An offset of 0: it has not copied anything yet.
  if (common === undefined || header.offset === 0 || node.hasNoFailover) {
    c.dataSearch.servedSince.delete(node);
    return;
  }
  c.dataSearch.isFound = true;
  if (node.master === c.myself) declareFailing(c, c.dataSearch);
  if (node.role !== 'master') return;
  const since = c.dataSearch.servedSince.get(node);
  if (since === undefined) c.dataSearch.servedSince.set(node, c.now.mono);
  // By now our claim, had anybody heard it, would have reached this master.
  else if (c.since(since) >= searchMs(c)) stepBack(c, node, common);
}

/**
 * Says that we are failing to all, and to each that pings us afterwards.
 * Divergence: the real server says FAIL of others only, but takes it from a node about itself.
 */
function declareFailing(c: ClusterContext, search: DataSearch): void {
  if (search.isDeclared) return;
  search.isDeclared = true;
  c.log({ name: 'dataElsewhere' });
  broadcastFail(c, c.myself);
}

/** A ping while we are silent: answered when we speak again, and by FAIL as long as a replica can take our place. */
export function askedInSearch(c: ClusterContext, link: Link): void {
  c.dataSearch?.unanswered.add(link);
  repeatOwnFail(c, link);
}

/** Ends the search when it has succeeded or its time is over. */
export function stepDataSearch(c: ClusterContext): void {
  const search = c.dataSearch;
  if (search === undefined) return;
  if (isMute(c)) {
    if (c.since(search.startedAt) < waitMs(c, search)) return;
    c.log({ name: 'dataNotFound' });
    // The delay of a start: others may know of newer claims, and say so from now on.
    c.firstUpdateAt = undefined;
    c.updateWanted = true;
  }
  endDataSearch(c);
}

/** Speaks to all again. */
export function endDataSearch(c: ClusterContext): void {
  const search = c.dataSearch;
  if (search === undefined) return;
  c.dataSearch = undefined;
  for (const link of search.unanswered) if (c.links.has(link.id)) sendPing(c, link, 'pong');
  for (const { link } of c.nodeList) if (link?.isOpen === true) greet(c, link);
}

/**
 * Nobody heard of our claim on `slots`, and nobody else was elected in its epoch: no word will ever be said of it. They
 * are all of ours after an election, and some of them after the move of slots that our end cut short.
 */
function stepBack(c: ClusterContext, master: ClusterNode, slots: Uint8Array): void {
  moveSlots(c, slots, { from: c.myself, to: master });
  c.log({ name: 'steppedBack', master: master.id, isReplica: c.myself.slotCount === 0 });
  if (c.myself.slotCount === 0) becomeReplicaOf(c, master);
  c.save('fsync');
  c.updateWanted = true;
}

function waitMs(c: ClusterContext, search: DataSearch): number {
  if (search.isFound) {
    return Math.max(c.options.nodeTimeoutMs * SUCCESSION_TIMEOUTS, SUCCESSION_MIN_MS);
  }
  return search.unheard.size > 0 ? searchMs(c) : 0;
}

function searchMs(c: ClusterContext): number {
  return Math.max(c.options.nodeTimeoutMs * SEARCH_TIMEOUTS, SEARCH_MIN_MS);
}
