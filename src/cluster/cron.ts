/** What time alone brings about, ten times a second: reconnects, pings, PFAIL. Source: 7.2 cluster.c, clusterCron(). */
import { type MonoMs, addMs, earlier } from '../base/index.ts';
import type { ClusterContext } from './context.ts';
import { markPfail } from './failure-detector.ts';
import { handshakeRanOut, handshakeTimeoutMs } from './handshake.ts';
import { closeLink, openLink } from './links.ts';
import { askMasterAgain, pingSuccessor } from './manual-failover.ts';
import { checkManualTimeout } from './manual-reset.ts';
import { considerMigration } from './replica-migration.ts';
import { sendPing } from './sending.ts';
import type { ClusterNode, Link } from './types.ts';

export const CRON_PERIOD_MS = 100;
/** Every so many runs one node, the one heard of longest ago among PING_SAMPLES random ones, gets a ping. */
const RANDOM_PING_RUNS = 10;
const PING_SAMPLES = 5;

export function runCron(c: ClusterContext, run: number): void {
  if (c.forgotten.size > 0) dropPast(c, c.forgotten);
  if (c.ranOut.size > 0) dropPast(c, c.ranOut);
  // Nodes may go on the way.
  c.nodeList.slice().forEach((node) => keepLink(c, node));
  if (run % RANDOM_PING_RUNS === 0) pingAtRandom(c);
  c.nodeList.slice().forEach((node) => watchNode(c, node));
  followMaster(c);
  checkManualTimeout(c);
  pingSuccessor(c);
  askMasterAgain(c);
  considerMigration(c);
  c.failoverWanted = true;
}

function dropPast(c: ClusterContext, times: Map<string, MonoMs>): void {
  for (const [key, until] of times) if (until <= c.now.mono) times.delete(key);
}

/** When the next pending ping becomes too old, so that PFAIL need not wait for a run. */
export function detectorWake(c: ClusterContext): MonoMs | undefined {
  let wake: MonoMs | undefined;
  for (const node of c.nodeList) {
    if (node.pingSentAt === undefined || node.health !== 'ok' || !isWatched(c, node)) continue;
    wake = earlier(addMs(silentSince(node, node.pingSentAt), silenceMsMax(c) + 1), wake);
  }
  return wake;
}

/** Marks every node whose silence has lasted too long. */
export function detectFailures(c: ClusterContext): void {
  for (const node of c.nodeList) {
    if (node.pingSentAt === undefined || node.health !== 'ok' || !isWatched(c, node)) continue;
    if (c.since(silentSince(node, node.pingSentAt)) > silenceMsMax(c)) markPfail(c, node);
  }
}

/** A node has at least the time between two runs to answer, however short the time-out: else tiny ones flap for ever. */
function silenceMsMax(c: ClusterContext): number {
  return Math.max(c.options.nodeTimeoutMs, CRON_PERIOD_MS);
}

function isWatched(c: ClusterContext, node: ClusterNode): boolean {
  return node !== c.myself && !node.hasNoAddress && !node.inHandshake;
}

/** Any packet proves life, not only the pong that we wait for. */
function silentSince(node: ClusterNode, pingSentAt: MonoMs): MonoMs {
  const { dataReceivedAt } = node;
  return dataReceivedAt !== undefined && dataReceivedAt > pingSentAt ? dataReceivedAt : pingSentAt;
}

function keepLink(c: ClusterContext, node: ClusterNode): void {
  if (node === c.myself || node.hasNoAddress) return;
  if (node.inHandshake && c.since(node.createdAt) > handshakeTimeoutMs(c)) {
    handshakeRanOut(c, node);
    return;
  }
  if (c.options.linkSendBufferBytesMax !== 0) {
    limitBuffer(c, node, node.link);
    limitBuffer(c, node, node.inboundLink);
  }
  if (node.link === undefined) openLink(c, node);
}

function limitBuffer(c: ClusterContext, node: ClusterNode, link: Link | undefined): void {
  if (link === undefined) return;
  const bytes = c.linksView.sendBufferBytes(link.id);
  if (bytes <= c.options.linkSendBufferBytesMax) return;
  c.log({ name: 'linkBufferExceeded', node: node.id, bytes });
  c.linkBufferExceededCount++;
  closeLink(c, link);
}

function pingAtRandom(c: ClusterContext): void {
  let oldest: ClusterNode | undefined;
  for (let i = 0; i < PING_SAMPLES; i++) {
    const node = c.nodeList[c.rng.below(c.nodeList.length)]!;
    if (node === c.myself || node.inHandshake) continue;
    if (node.link?.isOpen !== true || node.pingSentAt !== undefined) continue;
    const isOlder =
      oldest === undefined || (node.pongReceivedAt ?? 0) < (oldest.pongReceivedAt ?? 0);
    if (isOlder) oldest = node;
  }
  if (oldest?.link !== undefined) sendPing(c, oldest.link, 'ping');
}

function watchNode(c: ClusterContext, node: ClusterNode): void {
  if (!isWatched(c, node)) return;
  const halfMs = c.options.nodeTimeoutMs / 2;
  const { link, pingSentAt, pongReceivedAt } = node;
  if (link !== undefined && pingSentAt !== undefined && isLinkSuspect(c, node, link)) {
    closeLink(c, link);
  }
  // An attempt to connect that hangs is a ping without an answer.
  if (node.link?.isOpen === false) node.pingSentAt ??= node.link.createdAt;
  const isStale = pongReceivedAt === undefined || c.since(pongReceivedAt) > halfMs;
  if (node.link?.isOpen === true && pingSentAt === undefined && isStale) {
    sendPing(c, node.link, 'ping');
  }
}

/**
 * Nothing came for half the time-out: perhaps the connection is at fault, not the node.
 * Divergence: the real server trusts a link for as long as the peer's own pings arrive on the other one. A ping of ours
 * unanswered, or a connect unfinished, for a whole time-out condemns the link here, or FAIL would never clear.
 */
function isLinkSuspect(c: ClusterContext, node: ClusterNode, link: Link): boolean {
  const { nodeTimeoutMs } = c.options;
  if (c.since(link.createdAt) <= nodeTimeoutMs) return false;
  if (!link.isOpen) return true;
  const pendingMs = node.pingSentAt === undefined ? 0 : c.since(node.pingSentAt);
  const { dataReceivedAt } = node;
  const isHeard = dataReceivedAt !== undefined && c.since(dataReceivedAt) <= nodeTimeoutMs / 2;
  return pendingMs > (isHeard ? nodeTimeoutMs : nodeTimeoutMs / 2);
}

/** Replication must follow the master that the cluster gave us, also after a start. */
export function followMaster(c: ClusterContext): void {
  const { master } = c.myself;
  if (c.myself.role !== 'replica' || master === undefined || master.hasNoAddress) return;
  if (master.ip === '' || c.replication.masterAddress() !== undefined) return;
  c.emit({ kind: 'setMaster', nodeId: master.id, host: master.ip, port: master.port });
}
