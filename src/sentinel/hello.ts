/**
 * The hello message: how Sentinels find each other, and how the newest configuration of a master reaches all.
 * `ip,port,id,currentEpoch,masterName,masterIp,masterPort,masterConfigEpoch`
 */
import { nextAt } from './beats.ts';
import type { SentinelContext } from './context.ts';
import { addPeer, currentAddress, removePeer, sayHelloSoon } from './instances.ts';
import { HELLO_CHANNEL, request } from './links.ts';
import { switchMaster } from './switch.ts';
import type { Address, Instance, Master, Peer } from './types.ts';

const FIELDS = 8;
const PORT_MAX = 65_535;

export function sayHello(c: SentinelContext, instance: Instance): void {
  const { announceIp, announcePort } = c.settings;
  const ip = announceIp === '' ? instance.link.localIp : announceIp;
  const master = instance.role === 'master' ? instance : instance.master;
  const address = currentAddress(master);
  const message = [
    ...[ip, announcePort === 0 ? c.port : announcePort, c.myId, c.currentEpoch],
    ...[master.name, c.announced(address), address.port, master.configEpoch],
  ].join(',');
  if (request(c, instance, ['PUBLISH', HELLO_CHANNEL, message])) {
    instance.helloDueAt = nextAt(c, instance.link.beat, c.periods.publish);
  }
}

export function helloReceived(c: SentinelContext, message: string): void {
  const known = c.knownHellos.get(message);
  if (known === undefined) return newHello(c, message);
  known.lastHelloAt = c.now.mono;
}

function newHello(c: SentinelContext, message: string): void {
  const fields = message.split(',');
  if (fields.length !== FIELDS) return;
  const [ip, port, id, epoch, name, masterIp, masterPort, configEpoch] = fields as [
    ...[string, string, string, string, string, string, string, string],
  ];
  const master = c.masters.get(name);
  if (master === undefined || id === c.myId || id === '') return;
  const numbers = [port, epoch, masterPort, configEpoch].map(Number);
  if (!numbers.every((value) => Number.isSafeInteger(value) && value >= 0)) return;
  const [portNumber, heardEpoch, masterPortNumber, heardConfigEpoch] = numbers as [
    ...[number, number, number, number],
  ];
  if (portNumber > PORT_MAX || masterPortNumber > PORT_MAX) return;
  const address = c.address(ip, portNumber);
  if (address === undefined) return;
  const peer = knownPeer(c, master, id, address) ?? meet(c, master, id, address);
  if (heardEpoch > c.currentEpoch) {
    c.currentEpoch = heardEpoch;
    c.save();
    c.tell('warning', '+new-epoch', String(heardEpoch), master);
  }
  peer.lastHelloAt = c.now.mono;
  const to = c.address(masterIp, masterPortNumber);
  if (to === undefined) return;
  // A failover of ours that was overtaken has moved the master already, and may have to move it back.
  const from = currentAddress(master);
  const isOther = !c.isSame(from, to);
  if (isOther && heardConfigEpoch === master.configEpoch) return partConfigs(c, master, from, to);
  if (!c.rules.isNewerConfig(heardConfigEpoch, master.configEpoch)) return know(c, peer, message);
  master.configEpoch = heardConfigEpoch;
  if (!isOther) return c.save();
  c.event('warning', '+config-update-from', peer);
  switchMaster(c, master, { as: 'observer', from, to });
}

/** Epochs only grow: what says nothing new once never will, as long as this Sentinel is known. */
function know(c: SentinelContext, peer: Peer, message: string): void {
  c.knownHellos.delete(peer.knownHello);
  peer.knownHello = message;
  c.knownHellos.set(message, peer);
}

/**
 * Failovers that operators force take an epoch without votes, so two of them may share one, and no Sentinel would give way.
 * Those on the side of the smaller address take a fresh epoch for it, which all others follow.
 * Divergence: with the real one two such masters remain.
 */
function partConfigs(c: SentinelContext, master: Master, ours: Address, heard: Address): void {
  if (master.configEpoch === 0 || placeOf(ours) > placeOf(heard)) return;
  c.currentEpoch++;
  master.configEpoch = c.currentEpoch;
  c.save();
  c.log(
    'warning',
    `Two masters of '${master.name}' share a configuration epoch: ours takes a new one`,
  );
  c.tell('warning', '+new-epoch', String(c.currentEpoch), master);
  sayHelloSoon(c, master);
}

function placeOf({ ip, port }: Address): string {
  return `${ip}:${port}`;
}

function knownPeer(
  c: SentinelContext,
  master: Master,
  id: string,
  address: Address,
): Peer | undefined {
  const peer = master.sentinels.get(id);
  return peer !== undefined && c.isSame(peer.address, address) ? peer : undefined;
}

/** A Sentinel that is new to us, or has moved. */
function meet(c: SentinelContext, master: Master, id: string, address: Address): Peer {
  const old = master.sentinels.get(id);
  if (old !== undefined) {
    const where = ` ip ${c.announced(address)} port ${address.port} for ${id}`;
    c.event('notice', '+sentinel-address-switch', master, where);
    removePeer(c, old);
  } else {
    expel(c, master, address);
  }
  const peer = addPeer(c, master, id, address);
  if (old === undefined) c.event('notice', '+sentinel', peer);
  else movePeer(c, id, address);
  c.saveSoon();
  return peer;
}

/** Where it watches other masters too it has moved as well. */
function movePeer(c: SentinelContext, id: string, address: Address): void {
  for (const master of c.masters.values()) {
    const peer = master.sentinels.get(id);
    if (peer === undefined || c.isSame(peer.address, address)) continue;
    removePeer(c, peer);
    addPeer(c, master, id, address);
  }
}

/** Whoever was at the address before is not there any more, whichever master we met it for. */
function expel(c: SentinelContext, master: Master, address: Address): void {
  const other = [...master.sentinels.values()].find((peer) => c.isSame(peer.address, address));
  if (other === undefined) return;
  c.event('notice', '+sentinel-invalid-addr', other);
  for (const { sentinels } of c.masters.values()) {
    const same = sentinels.get(other.name);
    if (same !== undefined) removePeer(c, same);
  }
}
