/** From sentinel.conf to what the machine knows, and back. */
import type { MasterConf, SentinelConf } from '../config/index.ts';
import type { SentinelContext } from './context.ts';
import { addPeer, addReplica, currentAddress, newMaster } from './instances.ts';
import type { Address, Master } from './types.ts';

export function importMaster(c: SentinelContext, conf: MasterConf): void {
  const { name, settings } = conf;
  const master = newMaster(c, { name, address: addressOf(c, conf.host, conf.port), settings });
  master.configEpoch = conf.configEpoch;
  master.leaderEpoch = conf.leaderEpoch;
  c.masters.set(name, master);
  for (const { host, port } of conf.replicas) addReplica(c, master, addressOf(c, host, port));
  for (const { host, port, id } of conf.sentinels) {
    if (id !== undefined && id !== c.myId) addPeer(c, master, id, addressOf(c, host, port));
  }
  // Another Sentinel may have been the one that stopped here.
  c.currentEpoch = Math.max(c.currentEpoch, conf.configEpoch, conf.leaderEpoch);
}

/** Names in the file were found to be good when it was read. */
function addressOf(c: SentinelContext, host: string, port: number): Address {
  return c.address(host, port) ?? { hostname: host, ip: host, port };
}

export function exportConf(c: SentinelContext): SentinelConf {
  return {
    myId: c.myId,
    currentEpoch: c.currentEpoch,
    settings: { ...c.settings },
    masters: [...c.masters.values()].map((master) => exportMaster(c, master)),
  };
}

function exportMaster(c: SentinelContext, master: Master): MasterConf {
  // While a failover ends, the file has the new master already, and the old one as its replica.
  const current = currentAddress(master);
  const place = (address: Address): { host: string; port: number } => ({
    host: hostOf(c, address),
    port: address.port,
  });
  return {
    name: master.name,
    ...place(current),
    settings: { ...master.settings },
    configEpoch: master.configEpoch,
    leaderEpoch: master.leaderEpoch,
    replicas: [...master.replicas.values()].map(({ address }) =>
      place(c.isSame(address, current) ? master.address : address),
    ),
    sentinels: [...master.sentinels.values()].map((peer) => ({
      ...place(peer.address),
      id: peer.name,
    })),
  };
}

/** A name stays a name in the file while names are resolved. */
function hostOf(c: SentinelContext, { hostname, ip }: Address): string {
  return c.settings.resolveHostnames ? hostname : ip;
}
