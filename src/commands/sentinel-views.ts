/** How SENTINEL shows masters, replicas and other Sentinels. Source: replies of redis-sentinel 7.0.15. */
import type { MonoMs } from '../base/index.ts';
import type { ReplyWriter } from '../resp/index.ts';
import {
  type Instance,
  type Master,
  type Peer,
  type Replica,
  type SentinelContext,
  downAfterMs,
  flagsOf,
  roleWord,
} from '../sentinel/index.ts';

type Fields = [name: string, value: string | number][];

/** The words of SENTINEL for the states of a failover. */
const STATE_WORDS: Readonly<Record<Master['failover']['state'], string>> = {
  none: 'none',
  waitStart: 'wait_start',
  selectReplica: 'select_slave',
  handOver: 'send_failover',
  sendReplicaofNoOne: 'send_slaveof_noone',
  waitPromotion: 'wait_promotion',
  reconfigureReplicas: 'reconf_slaves',
  updateConfig: 'update_config',
};

/** One instance as a map of names and texts. */
export function writeInstance(reply: ReplyWriter, c: SentinelContext, instance: Instance): void {
  const fields = fieldsOf(c, instance);
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulkText(name);
    reply.bulkText(String(value));
  }
}

export function writeInstances(
  reply: ReplyWriter,
  c: SentinelContext,
  instances: ReadonlyMap<string, Instance>,
): void {
  reply.array(instances.size);
  for (const instance of instances.values()) writeInstance(reply, c, instance);
}

function fieldsOf(c: SentinelContext, instance: Instance): Fields {
  const { address, link, name, role, runId, sdownSince } = instance;
  const fields: Fields = [
    ['name', name],
    ['ip', c.announced(address)],
    ['port', address.port],
    ['runid', runId],
    ['flags', flagsOf(instance)],
    ['link-pending-commands', link.command?.expected.length ?? 0],
    ['link-refcount', link.refCount],
  ];
  if (role === 'master' && instance.failover.state !== 'none') {
    fields.push(['failover-state', STATE_WORDS[instance.failover.state]]);
  }
  fields.push(
    ['last-ping-sent', elapsed(c, link.unansweredSince)],
    ['last-ok-ping-reply', c.since(link.lastAvailableAt)],
    ['last-ping-reply', c.since(link.lastPongAt)],
  );
  if (sdownSince !== undefined) fields.push(['s-down-time', c.since(sdownSince)]);
  if (role === 'master' && instance.odownSince !== undefined) {
    fields.push(['o-down-time', c.since(instance.odownSince)]);
  }
  fields.push(['down-after-milliseconds', downAfterMs(instance)]);
  if (role === 'sentinel') return [...fields, ...peerFields(c, instance)];
  fields.push(
    ['info-refresh', elapsed(c, instance.infoAt)],
    ['role-reported', roleWord(instance.reportedRole)],
    ['role-reported-time', c.since(instance.reportedRoleAt)],
  );
  return [...fields, ...(role === 'master' ? masterFields(instance) : replicaFields(instance))];
}

/** 0 for what never happened. */
function elapsed(c: SentinelContext, at: MonoMs | undefined): number {
  return at === undefined ? 0 : c.since(at);
}

function masterFields({ configEpoch, replicas, sentinels, settings }: Master): Fields {
  const { notificationScript, clientReconfigScript } = settings;
  const fields: Fields = [
    ['config-epoch', configEpoch],
    ['num-slaves', replicas.size],
    ['num-other-sentinels', sentinels.size],
    ['quorum', settings.quorum],
    ['failover-timeout', settings.failoverTimeoutMs],
    ['parallel-syncs', settings.parallelSyncs],
  ];
  if (notificationScript !== '') fields.push(['notification-script', notificationScript]);
  if (clientReconfigScript !== '') fields.push(['client-reconfig-script', clientReconfigScript]);
  return fields;
}

function replicaFields(replica: Replica): Fields {
  return [
    ['master-link-down-time', replica.masterLinkDownMs],
    ['master-link-status', replica.isMasterLinkUp ? 'ok' : 'err'],
    ['master-host', replica.masterHost === '' ? '?' : replica.masterHost],
    ['master-port', replica.masterPort],
    ['slave-priority', replica.priority],
    ['slave-repl-offset', replica.replOffset],
    ['replica-announced', replica.isAnnounced ? 1 : 0],
  ];
}

function peerFields(c: SentinelContext, peer: Peer): Fields {
  return [
    ['last-hello-message', c.since(peer.lastHelloAt)],
    ['voted-leader', peer.leader ?? '?'],
    ['voted-leader-epoch', peer.leaderEpoch],
  ];
}
