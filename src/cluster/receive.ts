/** One whole packet: who says it, what its header teaches, and which rule its body goes to. */
import { assertNever, nodeId } from '../base/index.ts';
import {
  MESSAGE_FLAG,
  NODE_FLAG,
  PACKET_TYPES,
  type Packet,
  type PacketHeader,
  type PacketType,
  type PingBody,
  type PublishBody,
  type UpdateBody,
} from '../bus/index.ts';
import { type ClusterContext, isMute } from './context.ts';
import { voteReceived } from './election.ts';
import { partEpochs } from './epochs.ts';
import { learnExtensions } from './extensions.ts';
import { failReceived, pongReceived } from './failure-detector.ts';
import { processGossip } from './gossip.ts';
import { handshakeAnswered, meetReceived, strangerCalled } from './handshake.ts';
import { claimInboundLink, closeLink, isSaneHeader, updateAddress } from './links.ts';
import { masterOffsetReceived, mfstartReceived } from './manual-failover.ts';
import { askedInSearch, heardInSearch } from './lost-data.ts';
import { markMaster, markReplica } from './roles.ts';
import { sendPing, sendUpdate, wireFlags } from './sending.ts';
import { applySlotClaim, leaveChain } from './slot-claims.ts';
import { noteClaim } from './slot-imports.ts';
import { firstNewerSlot, removeSlots, sameSlots } from './slot-map.ts';
import type { ClusterNode, Link } from './types.ts';
import { voteRequested } from './votes.ts';

/** Drops every type. Source: DEBUG CLUSTER packet filter of the real server's tests. */
const DROP_ALL = -2;

/** Source: 7.2 cluster.c, clusterProcessPacket(). */
export function receivePacket(c: ClusterContext, link: Link, packet: Packet): void {
  const { header, body } = packet;
  if (isDropped(c, body.type) || !isSaneHeader(header)) return;
  const sender = senderOf(c, header);
  if (sender !== undefined) {
    claimInboundLink(c, sender, link);
    sender.dataReceivedAt = c.now.mono;
    learnFromHeader(c, sender, header);
  }
  switch (body.type) {
    case 'ping':
    case 'pong':
    case 'meet':
      return pingReceived(c, link, sender, { header, body });
    case 'fail':
      if (sender !== undefined) failReceived(c, sender, body.nodeId);
      return;
    case 'publish':
    case 'publishshard': {
      if (sender === undefined) return;
      const { channel, message, type } = body;
      return c.emit({ kind: 'publish', channel, message, isShard: type === 'publishshard' });
    }
    case 'authRequest':
      if (sender !== undefined) voteRequested(c, sender, header);
      return;
    case 'authAck':
      if (sender !== undefined) voteReceived(c, sender, header.currentEpoch);
      return;
    case 'update':
      if (sender !== undefined) updateReceived(c, body);
      return;
    case 'mfstart':
      if (sender !== undefined) mfstartReceived(c, sender, link);
      return;
    case 'module':
      return;
    default:
      return assertNever(body);
  }
}

/** A published message without a header: only who is known by what came before on the link is heard. */
export function receiveLight(c: ClusterContext, link: Link, body: PublishBody): void {
  const { node } = link;
  if (isDropped(c, body.type) || node === undefined || node.inHandshake) return;
  node.dataReceivedAt = c.now.mono;
  const { channel, message, type } = body;
  c.emit({ kind: 'publish', channel, message, isShard: type === 'publishshard' });
}

/** Counts what came, and says whether it shall be lost. */
function isDropped(c: ClusterContext, type: PacketType): boolean {
  c.receivedCounts.set(type, c.receivedCounts.get(type)! + 1);
  return c.droppedTypeNumber === DROP_ALL || c.droppedTypeNumber === PACKET_TYPES.indexOf(type);
}

/** The known node behind a packet; nobody speaks for ourselves. */
function senderOf(c: ClusterContext, header: PacketHeader): ClusterNode | undefined {
  const byName = c.nodes.get(nodeId(header.sender));
  return byName === c.myself || byName?.inHandshake === true ? undefined : byName;
}

/**
 * Epochs only ever rise; offsets rank replicas; the paused flag carries a manual failover forward.
 * What others claim is saved without waiting for the disk: a node that lost it hears it again before it may serve.
 * Divergence: the real server syncs here, in the middle of a failover's gap.
 */
function learnFromHeader(c: ClusterContext, sender: ClusterNode, header: PacketHeader): void {
  if (header.currentEpoch > c.currentEpoch) {
    c.currentEpoch = header.currentEpoch;
    c.save('save');
  }
  if (header.configEpoch > sender.configEpoch) {
    sender.configEpoch = header.configEpoch;
    c.save('save');
  }
  // A rival's offset may settle whose turn it is to stand.
  const isRival = sender.master !== undefined && sender.master === c.myself.master;
  if (isRival && c.election.state === 'scheduled') c.failoverWanted = true;
  sender.spokenEpoch = Math.max(sender.spokenEpoch, header.currentEpoch);
  sender.replOffset = header.offset;
  if (c.myself.master === sender && (header.messageFlags & MESSAGE_FLAG.paused) !== 0) {
    masterOffsetReceived(c, header.offset);
  }
}

interface PingPacket {
  readonly header: PacketHeader;
  readonly body: PingBody;
}

function pingReceived(
  c: ClusterContext,
  link: Link,
  sender: ClusterNode | undefined,
  packet: PingPacket,
): void {
  const { header, body } = packet;
  if (body.type === 'pong') link.pongsReceived++;
  else {
    learnOwnAddress(c, link, body.type);
    if (sender === undefined && body.type === 'ping') strangerCalled(c, link, header);
    if (sender === undefined && body.type === 'meet') {
      meetReceived(c, link, header);
      processGossip(c, undefined, body.gossip);
    }
    if (isMute(c)) askedInSearch(c, link);
    else sendPing(c, link, 'pong');
  }
  if (link.direction === 'to' && link.node !== undefined) {
    if (link.node.inHandshake) {
      if (!handshakeAnswered(c, link, sender, header)) return;
    } else if (link.node.id !== header.sender) {
      return disownAddress(c, link, link.node);
    }
  }
  // Whoever just finished the handshake is known from this packet on.
  const node = sender ?? (link.direction === 'to' ? link.node : undefined);
  if (sender === undefined && node !== undefined) learnFromHeader(c, node, header);
  if (node !== undefined && body.type === 'ping') updateAddress(c, node, link, header);
  if (link.direction === 'to' && body.type === 'pong' && link.node !== undefined) {
    pongReceived(c, link.node);
  }
  if (node === undefined) return;
  node.hasNoFailover = (header.flags & NODE_FLAG.nofailover) !== 0;
  node.readsLight = (header.flags & NODE_FLAG.readsLight) !== 0;
  if (!isOvertaken(c, node, header)) {
    learnRole(c, node, header);
    learnSlots(c, node, header);
  }
  leaveChain(c);
  heardInSearch(c, node, header);
  partEpochs(c, node);
  processGossip(c, node, body.gossip);
  learnExtensions(c, node, packet);
}

/** We learn our own address from whoever reaches us by it, unless the configuration says it. */
function learnOwnAddress(c: ClusterContext, link: Link, type: 'ping' | 'meet'): void {
  const { myself } = c;
  if (c.options.announceIp !== '' || link.localIp === '') return;
  if (type !== 'meet' && myself.ip !== '') return;
  if (myself.ip === link.localIp) return;
  myself.ip = link.localIp;
  c.log({ name: 'ownAddressUpdated', ip: myself.ip });
  c.save('save');
}

/** Another node answers at this node's address: we do not know where it lives any more. */
function disownAddress(c: ClusterContext, link: Link, node: ClusterNode): void {
  const ageMs = c.since(node.createdAt);
  c.log({ name: 'senderMismatch', node: node.id, ageMs, flags: wireFlags(c, node) });
  node.hasNoAddress = true;
  node.ip = '';
  node.port = node.plaintextPort = node.busPort = 0;
  closeLink(c, link);
  c.save('save');
}

/**
 * Two connections lead from each node to this one, and what it said on one before it took another part may come behind
 * what it says on the other since. The epoch that it won in was its currentEpoch before: a word of its old part, under
 * its old master's epoch, is not believed until it has had time to repeat it.
 * Divergence: the real server believes whatever comes last, and then takes the slots from a master that has just begun.
 */
function isOvertaken(c: ClusterContext, node: ClusterNode, header: PacketHeader): boolean {
  if (header.currentEpoch < node.spokenEpoch) return true;
  const stepsDown = node.role === 'master' && header.masterId !== undefined;
  if (!stepsDown || header.configEpoch >= node.configEpoch) return false;
  return node.promotedAt !== undefined && c.since(node.promotedAt) < c.options.nodeTimeoutMs;
}

function learnRole(c: ClusterContext, node: ClusterNode, header: PacketHeader): void {
  if (header.masterId === undefined) {
    if ((header.flags & NODE_FLAG.master) !== 0) markMaster(c, node);
    return;
  }
  markReplica(c, node, c.nodes.get(nodeId(header.masterId)));
}

/** Takes a master's claim on its slots, and answers a claim that is out of date. */
function learnSlots(c: ClusterContext, node: ClusterNode, header: PacketHeader): void {
  const holder = node.role === 'master' ? node : node.master;
  if (node.role === 'master' && c.transfers.length > 0) noteClaim(c, node, header.slots);
  if (node.role === 'master') node.disowned = undefined;
  if (holder === undefined || sameSlots(holder.slots, header.slots)) return;
  if (node.role === 'master') {
    applySlotClaim(c, node, header.configEpoch, header.slots);
    noteDisowned(node, header.slots);
  }
  const claim = { epoch: header.configEpoch, claimant: node };
  const newer = firstNewerSlot(c, header.slots, claim);
  const owner = newer === undefined ? undefined : c.owners[newer];
  if (owner === undefined) return;
  c.log({ name: 'staleSlotsAnswered', node: node.id, owner: owner.id });
  if (node.link !== undefined) sendUpdate(c, node.link, owner);
}

/** A third node told what `body.nodeId` really owns: our view of it was old. */
function updateReceived(c: ClusterContext, body: UpdateBody): void {
  const node = c.nodes.get(nodeId(body.nodeId));
  if (node === undefined || node === c.myself) return;
  if (node.configEpoch >= body.configEpoch) return;
  markMaster(c, node);
  node.configEpoch = body.configEpoch;
  c.save('save');
  applySlotClaim(c, node, body.configEpoch, body.slots);
  // Else what it gave away long ago, and we never heard of, would be its own in the new epoch, for us and for whom we tell.
  noteDisowned(node, body.slots);
}

function noteDisowned(node: ClusterNode, claimed: Uint8Array): void {
  node.disowned = node.slots.slice();
  removeSlots(node.disowned, claimed);
}
