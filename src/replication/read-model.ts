/** What INFO replication and ROLE tell, as plain data. Source: INFO and ROLE of redis-server 7.0.15. */
import type { MonoMs } from '../base/index.ts';
import type { ReplicationHistory } from './history.ts';
import type { LinkPhase, ReplicaLink } from './link.ts';
import { type ReplicaSession, replicaIp } from './session.ts';
import type { ReplicationSource } from './source.ts';

export interface ReplicationView {
  readonly history: ReplicationHistory;
  readonly source: ReplicationSource;
  readonly link: ReplicaLink;
}

/** Facts of the node that INFO shows among those of replication. */
export interface NodeFacts {
  /** Of FAILOVER: `no-failover`, `waiting-for-sync` or `failover-in-progress`. */
  readonly failoverState: string;
  /** `replica-priority`. */
  readonly priority: number;
  /** `replica-read-only`. */
  readonly isReadOnly: boolean;
  /** `replica-announced`. */
  readonly isAnnounced: boolean;
  /** `min-replicas-to-write` and `min-replicas-max-lag`; the count is shown when neither is 0. */
  readonly minReplicas: number;
  readonly minReplicasMaxLagSeconds: number;
}

export type InfoField = readonly [name: string, value: string | number];

/** The lines of INFO replication in order. */
export function infoFields(view: ReplicationView, now: MonoMs, facts: NodeFacts): InfoField[] {
  const { history, source, link } = view;
  const fields: InfoField[] = [['role', link.target ? 'slave' : 'master']];
  if (link.target) fields.push(...linkFields(view, now, facts));
  fields.push(['connected_slaves', source.replicaCount]);
  if (facts.minReplicas > 0 && facts.minReplicasMaxLagSeconds > 0) {
    fields.push([
      'min_slaves_good_slaves',
      source.goodReplicaCount(now, facts.minReplicasMaxLagSeconds),
    ]);
  }
  let index = 0;
  for (const session of source.replicas())
    fields.push([`slave${index++}`, replicaLine(session, now)]);
  const { backlog } = history;
  fields.push(
    ['master_failover_state', facts.failoverState],
    ['master_replid', history.replid],
    ['master_replid2', history.replid2],
    ['master_repl_offset', history.masterReplOffset],
    ['second_repl_offset', history.secondReplOffset],
    ['repl_backlog_active', backlog ? 1 : 0],
    ['repl_backlog_size', history.backlogBytes],
    ['repl_backlog_first_byte_offset', backlog?.firstOffset ?? 0],
    ['repl_backlog_histlen', backlog?.size ?? 0],
  );
  return fields;
}

function linkFields(view: ReplicationView, now: MonoMs, facts: NodeFacts): InfoField[] {
  const { history, link } = view;
  const { phase, target, transfer } = link;
  const ioAge = link.lastIoAt === undefined ? -1 : seconds(now - link.lastIoAt);
  const isSyncing = isTransferring(phase);
  const fields: InfoField[] = [
    ['master_host', target?.host ?? ''],
    ['master_port', target?.port ?? 0],
    ['master_link_status', link.isUp ? 'up' : 'down'],
    ['master_last_io_seconds_ago', link.isUp ? ioAge : -1],
    ['master_sync_in_progress', isSyncing ? 1 : 0],
    ['slave_read_repl_offset', offsetOrOne(link, link.receivedOffset)],
    ['slave_repl_offset', offsetOrOne(link, history.masterReplOffset)],
  ];
  if (isSyncing) {
    const size = transfer ? (transfer.sizeBytes ?? 0) : -1;
    const read = transfer?.receivedBytes ?? 0;
    fields.push(
      ['master_sync_total_bytes', size],
      ['master_sync_read_bytes', read],
      ['master_sync_left_bytes', size - read],
      ['master_sync_perc', (size > 0 ? (read / size) * 100 : 0).toFixed(2)],
      ['master_sync_last_io_seconds_ago', ioAge],
    );
  }
  if (!link.isUp) {
    const down = link.downSince === undefined ? -1 : seconds(now - link.downSince);
    fields.push(['master_link_down_since_seconds', down]);
  }
  fields.push(
    ['slave_priority', facts.priority],
    ['slave_read_only', facts.isReadOnly ? 1 : 0],
    ['replica_announced', facts.isAnnounced ? 1 : 0],
  );
  return fields;
}

function offsetOrOne(link: ReplicaLink, offset: number): number {
  return link.isUp || link.hasPosition ? offset : 1;
}

function isTransferring(phase: LinkPhase): boolean {
  return phase === 'header' || phase === 'transfer' || phase === 'loading';
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}

function replicaLine(session: ReplicaSession, now: MonoMs): string {
  const isOnline = session.state === 'online';
  // Whoever gets a stream is `wait_bgsave` until its end; `send_bulk` is for files. Source: observed.
  const state = isOnline || session.state === 'loading' ? 'online' : 'wait_bgsave';
  const lag = isOnline ? seconds(now - session.ackTime) : 0;
  return `ip=${replicaIp(session)},port=${session.listeningPort},state=${state},offset=${session.ackOffset},lag=${lag}`;
}

export type Role =
  | {
      readonly kind: 'master';
      readonly replOffset: number;
      readonly replicas: readonly {
        readonly ip: string;
        readonly port: number;
        readonly ackOffset: number;
      }[];
    }
  | {
      readonly kind: 'replica';
      readonly host: string;
      readonly port: number;
      readonly state: 'connect' | 'connecting' | 'handshake' | 'sync' | 'connected';
      /** -1 while not connected. */
      readonly replOffset: number;
    };

/** What ROLE answers; its word for a replica is `slave`. */
export function role(view: ReplicationView): Role {
  const { history, source, link } = view;
  if (link.target) {
    const { host, port } = link.target;
    const replOffset = link.isUp ? history.masterReplOffset : -1;
    return { kind: 'replica', host, port, state: ROLE_STATES[link.phase], replOffset };
  }
  const replicas = [];
  for (const session of source.replicas()) {
    if (session.state !== 'online') continue;
    const { listeningPort, ackOffset } = session;
    replicas.push({ ip: replicaIp(session), port: listeningPort, ackOffset });
  }
  return { kind: 'master', replOffset: history.masterReplOffset, replicas };
}

const ROLE_STATES: Readonly<
  Record<LinkPhase, 'connect' | 'connecting' | 'handshake' | 'sync' | 'connected'>
> = {
  none: 'connect',
  waiting: 'connect',
  connecting: 'connecting',
  handshake: 'handshake',
  psync: 'handshake',
  header: 'sync',
  transfer: 'sync',
  loading: 'sync',
  connected: 'connected',
};
