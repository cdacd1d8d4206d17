/** How instances come to be known and are forgotten. */
import { type MonoMs, addMs } from '../base/index.ts';
import type { MasterSettings } from '../config/index.ts';
import type { SentinelContext } from './context.ts';
import { dropLink, newLink } from './links.ts';
import { hostAndPort } from './names.ts';
import type { Address, Failover, Master, Peer, Replica } from './types.ts';

/** More than the time between two looks of a Sentinel of Redis, by which its attempts may be late. */
const HELLO_DELAY_MS = 250;

export function newMaster(
  c: SentinelContext,
  init: { readonly name: string; readonly address: Address; readonly settings: MasterSettings },
): Master {
  const { name, address, settings } = init;
  const now = c.now.mono;
  return {
    ...{ role: 'master', name, address, settings, runId: '', link: newLink(c, address) },
    ...{ sdownSince: undefined, odownSince: undefined, helloDueAt: now },
    ...{ isScriptKillSent: false, infoAt: undefined, infoText: '', rebootedAt: undefined },
    ...{ reportedRole: 'master', reportedRoleAt: now, configEpoch: 0 },
    ...{ replicas: new Map(), sentinels: new Map(), leader: undefined, leaderEpoch: 0 },
    failover: newFailover(now),
  };
}

function newFailover(now: MonoMs): Failover {
  return {
    state: 'none',
    epoch: 0,
    startedAt: undefined,
    stateChangedAt: now,
    isForced: false,
    isCoordinated: false,
    promoted: undefined,
    delayLoggedFor: undefined,
    readUntil: undefined,
  };
}

/** Adds a replica; undefined when it is known or is the master itself. */
export function addReplica(
  c: SentinelContext,
  master: Master,
  address: Address,
): Replica | undefined {
  if (findReplica(c, master, address) !== undefined) return undefined;
  const now = c.now.mono;
  const name = hostAndPort(c.announced(address), address.port);
  const replica: Replica = {
    ...{ role: 'replica', name, master, address, runId: '', link: newLink(c, address) },
    ...{ sdownSince: undefined, helloDueAt: now, isScriptKillSent: false },
    ...{ infoAt: undefined, infoText: '', reportedRole: 'replica', reportedRoleAt: now },
    ...{ isPromoted: false, reconfiguration: 'none', reconfigurationSentAt: now },
    ...{ masterLinkDownMs: 0, isMasterLinkUp: false, masterHost: '', masterPort: 0 },
    ...{
      masterChangedAt: now,
      lastSdownAt: undefined,
      priority: 100,
      isAnnounced: true,
      replOffset: 0,
    },
  };
  master.replicas.set(name, replica);
  return replica;
}

export function findReplica(
  c: SentinelContext,
  master: Master,
  address: Address,
): Replica | undefined {
  for (const replica of master.replicas.values()) {
    if (c.isSame(replica.address, address)) return replica;
  }
  return undefined;
}

/** Adds another Sentinel that watches the master, over a connection that it has already where there is one. */
export function addPeer(c: SentinelContext, master: Master, id: string, address: Address): Peer {
  const now = c.now.mono;
  const shared = sharedLink(c, id, address);
  const link = shared ?? newLink(c, address);
  if (shared !== undefined) shared.refCount++;
  const peer: Peer = {
    ...{ role: 'sentinel', name: id, master, address, runId: id, link },
    ...{ sdownSince: undefined, helloDueAt: now, isScriptKillSent: false },
    ...{ saysMasterDown: false, lastOpinionAt: undefined, lastAskedAt: undefined },
    ...{ lastHelloAt: now, knownHello: '', leader: undefined, leaderEpoch: 0 },
  };
  master.sentinels.set(id, peer);
  return peer;
}

function sharedLink(c: SentinelContext, id: string, address: Address): Peer['link'] | undefined {
  for (const { sentinels } of c.masters.values()) {
    const known = sentinels.get(id);
    if (known !== undefined && c.isSame(known.address, address)) return known.link;
  }
  return undefined;
}

export function removePeer(c: SentinelContext, peer: Peer): void {
  peer.master.sentinels.delete(peer.name);
  c.knownHellos.delete(peer.knownHello);
  dropLink(c, peer.link);
}

export function removeReplicas(c: SentinelContext, master: Master): void {
  for (const replica of master.replicas.values()) dropLink(c, replica.link);
  master.replicas.clear();
}

/** Forgets a master and all that came with it. */
export function removeMaster(c: SentinelContext, master: Master): void {
  removeReplicas(c, master);
  for (const peer of [...master.sentinels.values()]) removePeer(c, peer);
  dropLink(c, master.link);
  c.masters.delete(master.name);
}

/** Begins to watch the master anew, as if it had just been named; Sentinels stay known if wanted. */
export function resetMaster(c: SentinelContext, master: Master, keepsSentinels: boolean): void {
  removeReplicas(c, master);
  if (!keepsSentinels) for (const peer of [...master.sentinels.values()]) removePeer(c, peer);
  dropLink(c, master.link);
  master.link = newLink(c, master.address);
  const { failover } = master;
  failover.state = 'none';
  failover.startedAt = undefined;
  failover.promoted = undefined;
  failover.isForced = false;
  failover.isCoordinated = false;
  master.leader = undefined;
  master.runId = '';
  master.sdownSince = undefined;
  master.odownSince = undefined;
  master.isScriptKillSent = false;
  master.rebootedAt = undefined;
  master.infoAt = undefined;
  master.infoText = '';
  master.reportedRole = 'master';
  master.reportedRoleAt = c.now.mono;
}

/**
 * The master is elsewhere now: everybody known but the new master is its replica, the old one included.
 */
export function moveMaster(c: SentinelContext, master: Master, to: Address): void {
  const old = master.address;
  const others = [...master.replicas.values()]
    .map((replica) => replica.address)
    .filter((address) => !c.isSame(address, to));
  if (!c.isSame(old, to)) others.push(old);
  master.address = to;
  resetMaster(c, master, true);
  c.knownHellos.clear();
  for (const address of others) {
    const replica = addReplica(c, master, address);
    if (replica !== undefined) c.event('notice', '+slave', replica);
  }
  c.save();
}

/** Where clients find the master: at the promoted replica as soon as that is one. */
export function currentAddress({ address, failover }: Master): Address {
  const { promoted, state } = failover;
  const isMoved = state === 'reconfigureReplicas' || state === 'updateConfig';
  return isMoved && promoted !== undefined ? promoted.address : address;
}

/**
 * Has everybody told of a master's new configuration before long, instead of with the next period. Not at once: a
 * Sentinel of Redis turns to the new master only a second after its last attempt to reach the old one, and with a
 * down-after of a second would find the new one SDOWN if it heard of it too soon after such an attempt.
 */
export function sayHelloSoon(c: SentinelContext, master: Master): void {
  const at = addMs(c.now.mono, HELLO_DELAY_MS);
  for (const instance of [master, ...master.replicas.values(), ...master.sentinels.values()]) {
    instance.helloDueAt = at;
  }
}
