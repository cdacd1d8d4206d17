/** Whether the cluster serves: every slot covered by a reachable owner, and this node on the majority's side. */
import { type MonoMs, SLOT_COUNT, addMs } from '../base/index.ts';
import { type ClusterContext, isMute } from './context.ts';
import { majority } from './rules.ts';
import type { ClusterHealth } from './types.ts';

/** A master takes no queries so soon after its start: others may know better. Source: CLUSTER_WRITABLE_DELAY. */
const WRITABLE_DELAY_MS = 2000;
/** Bounds of the wait before a master serves again after a time in the minority; within them the node time-out. */
const REJOIN_DELAY_MIN_MS = 500;
const REJOIN_DELAY_MAX_MS = 5000;

/** Source: 7.2 cluster.c, clusterUpdateState(). */
export function updateHealth(c: ClusterContext): void {
  c.updateWanted = false;
  c.firstUpdateAt ??= c.now.mono;
  countVoters(c);
  if (isMute(c)) return;
  const isMaster = c.myself.role === 'master';
  if (isMaster && c.health === 'fail' && c.since(c.firstUpdateAt) < WRITABLE_DELAY_MS) return;
  let next: ClusterHealth = isCovered(c) ? 'ok' : 'fail';
  if (reachableVoters(c) < majority(c.size)) {
    next = 'fail';
    c.inMinorityAt = c.now.mono;
  }
  if (next === c.health) return;
  const back = rejoinAt(c);
  if (next === 'ok' && isMaster && back !== undefined && c.now.mono < back) return;
  setHealth(c, next);
}

/**
 * We did not run for longer than the node time-out (SIGSTOP, a suspended machine): others may have replaced us, so we
 * serve nothing until the rejoin delay has shown that they did not.
 * Divergence: the real server may still execute what waits in its clients' sockets before it looks at the cluster.
 */
export function distrustAfterSleep(c: ClusterContext): void {
  // The others were not silent, we were deaf: their time starts anew.
  for (const node of c.nodeList) if (node.pingSentAt !== undefined) node.pingSentAt = c.now.mono;
  if (c.myself.role !== 'master' || c.size < 2) return;
  c.inMinorityAt = c.now.mono;
  if (c.health === 'ok') setHealth(c, 'fail');
}

/** When the state must be looked at again although nothing happens. */
export function healthWake(c: ClusterContext): MonoMs | undefined {
  if (c.health === 'ok') return undefined;
  const start =
    c.firstUpdateAt === undefined ? undefined : addMs(c.firstUpdateAt, WRITABLE_DELAY_MS);
  const next = [start, rejoinAt(c)].filter((at) => at !== undefined && at > c.now.mono);
  return next.length === 0 ? undefined : (Math.min(...(next as MonoMs[])) as MonoMs);
}

function setHealth(c: ClusterContext, next: ClusterHealth): void {
  c.health = next;
  c.log({ name: 'stateChanged', state: next });
  c.emit({ kind: 'clusterStateChanged', state: next });
}

function rejoinAt(c: ClusterContext): MonoMs | undefined {
  if (c.inMinorityAt === undefined) return undefined;
  const { nodeTimeoutMs } = c.options;
  const delayMs = Math.min(Math.max(nodeTimeoutMs, REJOIN_DELAY_MIN_MS), REJOIN_DELAY_MAX_MS);
  return addMs(c.inMinorityAt, delayMs);
}

function countVoters(c: ClusterContext): void {
  c.size = 0;
  for (const node of c.nodeList) if (node.role === 'master' && node.slotCount > 0) c.size++;
}

function reachableVoters(c: ClusterContext): number {
  let count = 0;
  for (const node of c.nodeList) {
    if (node.role === 'master' && node.slotCount > 0 && node.health === 'ok') count++;
  }
  return count;
}

function isCovered(c: ClusterContext): boolean {
  if (!c.options.requireFullCoverage) return true;
  let count = 0;
  for (const { slotCount, health } of c.nodeList) {
    if (slotCount > 0 && health === 'fail') return false;
    count += slotCount;
  }
  return count === SLOT_COUNT;
}
