/** What a ping says about third nodes: failure reports, pong times, new addresses, unknown nodes. */
import { isHexId, monoMs, nodeId } from '../base/index.ts';
import { type GossipEntry, NODE_FLAG } from '../bus/index.ts';
import type { ClusterContext } from './context.ts';
import {
  addFailureReport,
  countFailureReports,
  markFailIfAgreed,
  removeFailureReport,
} from './failure-detector.ts';
import { closeLink, isHostname, isIpAddress } from './links.ts';
import type { ClusterNode } from './types.ts';

/** A pong time may lie this far in our future, in ms: clocks differ. Source: Redis 7.0 behaviour. */
const CLOCK_SKEW_MS = 500;
/** Most nodes that gossip may teach us. The specification's recommended limit for a cluster is 1000 nodes. */
const NODE_COUNT_MAX = 10_000;
const FAILING = NODE_FLAG.pfail | NODE_FLAG.fail;

export function processGossip(
  c: ClusterContext,
  sender: ClusterNode | undefined,
  entries: readonly GossipEntry[],
): void {
  for (const entry of entries) {
    const node = c.nodes.get(nodeId(entry.nodeId));
    if (node !== undefined) learnAboutKnown(c, sender, node, entry);
    else if (sender !== undefined) learnOfUnknown(c, entry);
  }
}

function learnAboutKnown(
  c: ClusterContext,
  sender: ClusterNode | undefined,
  node: ClusterNode,
  entry: GossipEntry,
): void {
  const isFailingThere = (entry.flags & FAILING) !== 0;
  if (sender?.role === 'master' && node !== c.myself && node !== sender) {
    if (isFailingThere) {
      addFailureReport(c, node, sender);
      markFailIfAgreed(c, node);
    } else {
      removeFailureReport(c, node, sender);
    }
  }
  if (!isFailingThere && node.pingSentAt === undefined && countFailureReports(c, node) === 0) {
    adoptPongTime(c, node, entry.pongReceived * 1000);
  }
  if (isFailingThere || node.health === 'ok' || (entry.flags & NODE_FLAG.noaddr) !== 0) return;
  // We cannot reach it and the sender can: perhaps it moved.
  const moved =
    node.ip.toLowerCase() !== entry.ip.toLowerCase() ||
    node.port !== entry.port ||
    node.busPort !== entry.busPort;
  if (!moved || !isSaneAddress(entry)) return;
  if (node.link !== undefined) closeLink(c, node.link);
  takeAddress(node, entry);
  node.hasNoAddress = false;
}

/** A pong that another node saw saves us a ping of our own. */
function adoptPongTime(c: ClusterContext, node: ClusterNode, pongUnixMs: number): void {
  if (pongUnixMs > c.now.unix + CLOCK_SKEW_MS) return;
  const seenAt = monoMs(c.now.mono - (c.now.unix - pongUnixMs));
  if (node.pongReceivedAt === undefined || seenAt > node.pongReceivedAt) {
    node.pongReceivedAt = seenAt;
  }
}

function learnOfUnknown(c: ClusterContext, entry: GossipEntry): void {
  if ((entry.flags & NODE_FLAG.noaddr) !== 0 || !isHexId(entry.nodeId)) return;
  if (!isSaneAddress(entry) || c.nodeList.length >= NODE_COUNT_MAX) return;
  if (c.forgotten.has(entry.nodeId)) return;
  const node = c.newNode(nodeId(entry.nodeId));
  takeAddress(node, entry);
  if ((entry.flags & NODE_FLAG.master) !== 0) node.role = 'master';
  else if ((entry.flags & NODE_FLAG.replica) !== 0) node.role = 'replica';
  node.hasNoFailover = (entry.flags & NODE_FLAG.nofailover) !== 0;
  if ((entry.flags & NODE_FLAG.fail) !== 0) {
    node.health = 'fail';
    node.failedAt = c.now.mono;
  } else if ((entry.flags & NODE_FLAG.pfail) !== 0) {
    node.health = 'pfail';
  }
  c.addNode(node);
}

function isSaneAddress(entry: GossipEntry): boolean {
  return isIpAddress(entry.ip) || isHostname(entry.ip);
}

function takeAddress(node: ClusterNode, entry: GossipEntry): void {
  node.ip = entry.ip;
  node.port = entry.port;
  node.plaintextPort = entry.plaintextPort;
  node.busPort = entry.busPort;
}
