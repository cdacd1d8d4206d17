/** One answer of one node, and what can be read from it and the answer before. Pure. */
import type { ClusterNode } from '../cluster/index.ts';
import { productOf } from '../flow/index.ts';
import type { Copier, NodeStats } from './model.ts';

export interface NodeSample {
  /** When the answer came, on a clock for measuring. */
  readonly atMs: number;
  /** Round trip of a PING, milliseconds. */
  readonly latencyMs: number;
  /** INFO. */
  readonly info: ReadonlyMap<string, string>;
  /** CLUSTER INFO; empty without a cluster. */
  readonly cluster: ReadonlyMap<string, string>;
  /** CLUSTER NODES; empty without a cluster, or when it was not asked for. */
  readonly view: readonly ClusterNode[];
}

/** A replica as its master lists it in INFO replication. */
export interface ListedReplica {
  readonly address: string;
  readonly offset: number;
}

/** Role that the node gives itself. */
export function roleOf({ info }: NodeSample): 'master' | 'replica' {
  return info.get('role') === 'slave' ? 'replica' : 'master';
}

export function offsetOf(sample: NodeSample): number {
  const field = roleOf(sample) === 'replica' ? 'slave_repl_offset' : 'master_repl_offset';
  return numberOf(sample.info, field);
}

/** The lines `slave0:ip=…,port=…,state=…,offset=…` of a master. */
export function listedReplicas({ info }: NodeSample): ListedReplica[] {
  const listed: ListedReplica[] = [];
  const count = numberOf(info, 'connected_slaves');
  for (let index = 0; index < count; index++) {
    const line = info.get(`slave${index}`);
    if (line === undefined) continue;
    const fields = new Map(line.split(',').map((part) => pairOf(part)));
    listed.push({
      address: `${fields.get('ip') ?? ''}:${fields.get('port') ?? ''}`,
      offset: Number(fields.get('offset') ?? 0),
    });
  }
  return listed;
}

/** What the node says of itself; `before` is its previous answer, `master` the last one of its master. */
export function statsOf(
  sample: NodeSample,
  before: NodeSample | undefined,
  { master, copiers }: { readonly master?: NodeSample | undefined; readonly copiers: Copier[] },
): NodeStats {
  const { info } = sample;
  const isReplica = roleOf(sample) === 'replica';
  const lagBytes = master === undefined ? undefined : offsetOf(master) - offsetOf(sample);
  return {
    software: productOf(info),
    runId: info.get('run_id') ?? '',
    uptimeSeconds: numberOf(info, 'uptime_in_seconds'),
    offset: offsetOf(sample),
    // They were asked one after the other, so that the replica may seem to be ahead.
    lagBytes: isReplica && lagBytes !== undefined ? Math.max(0, lagBytes) : undefined,
    isLinkUp: !isReplica || info.get('master_link_status') === 'up',
    isSyncing: info.get('master_sync_in_progress') === '1',
    keys: keysOf(info),
    clients: numberOf(info, 'connected_clients'),
    usedBytes: numberOf(info, 'used_memory'),
    maxBytes: numberOf(info, 'maxmemory'),
    opsPerSecond: rate('total_commands_processed', sample, before),
    inBytesPerSecond: rate('total_net_input_bytes', sample, before),
    outBytesPerSecond: rate('total_net_output_bytes', sample, before),
    latencyMs: sample.latencyMs,
    votes: numberOf(sample.cluster, 'cluster_stats_messages_auth-ack_sent'),
    elections: numberOf(sample.cluster, 'cluster_stats_messages_auth-req_sent'),
    copiers,
  };
}

/** A field of INFO as a number; 0 when it is not there. */
export function numberOf(facts: ReadonlyMap<string, string>, field: string): number {
  const value = Number(facts.get(field) ?? 0);
  return Number.isFinite(value) ? value : 0;
}

/** Keys of all databases: `db0:keys=1,expires=0,avg_ttl=0`. */
function keysOf(info: ReadonlyMap<string, string>): number {
  let keys = 0;
  for (const [name, value] of info) {
    if (/^db\d+$/.test(name)) keys += Number(/^keys=(\d+)/.exec(value)?.[1] ?? 0);
  }
  return keys;
}

/** Over a shorter time a rate would be one of single commands. */
const RATE_SPAN_MS_MIN = 50;

/** Mean of a counter a second; undefined without an earlier answer, and when the counter began anew meanwhile. */
function rate(
  field: string,
  sample: NodeSample,
  before: NodeSample | undefined,
): number | undefined {
  if (before === undefined || sample.atMs - before.atMs < RATE_SPAN_MS_MIN) return undefined;
  const grown = numberOf(sample.info, field) - numberOf(before.info, field);
  if (grown < 0) return undefined;
  return (grown * 1000) / (sample.atMs - before.atMs);
}

function pairOf(part: string): [string, string] {
  const equals = part.indexOf('=');
  return [part.slice(0, equals), part.slice(equals + 1)];
}
