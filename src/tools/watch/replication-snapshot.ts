/** A master with its replicas, with Sentinels or without, as its nodes and Sentinels tell it. Pure. */
import { type Probed, copiersOf, inShards, isAmiss } from './cluster-snapshot.ts';
import type { Health, NodeSnapshot, SentinelSnapshot, WatchSnapshot } from './model.ts';
import { type NodeSample, listedReplicas, roleOf, statsOf } from './sample.ts';

/** A node as one Sentinel lists it. */
export interface SentinelEntry {
  readonly address: string;
  readonly role: 'master' | 'replica';
  /** Name of the master, and where it is. */
  readonly group: string;
  readonly masterAddress: string;
  readonly flags: readonly string[];
}

/** What one Sentinel says. */
export interface SentinelSample {
  readonly entries: readonly SentinelEntry[];
  /** Other Sentinels that it knows. */
  readonly peers: readonly string[];
  readonly epoch: number;
  readonly isTilted: boolean;
}

export interface ProbedSentinel {
  readonly address: string;
  readonly sample: SentinelSample | undefined;
  readonly failure: string | undefined;
}

/** The nodes to ask next: masters that replicas name, replicas that masters list, and what Sentinels know. */
export function replicationMembers(
  probes: readonly Probed[],
  sentinels: readonly ProbedSentinel[],
): string[] {
  const found = new Set(sentinels.flatMap(({ sample }) => sample?.entries ?? []).map(addressOf));
  for (const { sample } of probes) {
    if (sample === undefined) continue;
    const master = masterOf(sample);
    if (master !== undefined) found.add(master);
    // What copies without a port of its own is no server: a migration tool, say.
    for (const { address } of listedReplicas(sample)) {
      if (!address.endsWith(':0')) found.add(address);
    }
  }
  return [...found];
}

export function replicationSnapshot(
  probes: readonly Probed[],
  sentinels: readonly ProbedSentinel[],
  facts: Pick<WatchSnapshot, 'atUnixMs' | 'name' | 'work'>,
): WatchSnapshot {
  const entries = sentinels
    .filter(({ failure }) => failure === undefined)
    .flatMap(({ sample }) => sample?.entries ?? []);
  const byAddress = new Map(probes.map((probe) => [probe.address, probe]));
  const addresses = new Set(byAddress.keys());
  const nodes = probes.map((probe) => {
    const listed = entries.filter(({ address }) => address === probe.address);
    return nodeOf(probe, listed, { byAddress, addresses });
  });
  const master = nodes.filter(({ role }) => role === 'master');
  const isFailed = master.length === 0 || master.some(({ health }) => isDown(health));
  const hasSentinels = sentinels.length > 0;
  const isWhole =
    nodes.every((node) => !isAmiss(node)) && sentinels.every(({ failure }) => !failure);
  return {
    ...facts,
    kind: hasSentinels ? 'sentinel' : 'replication',
    state: isFailed ? 'fail' : isWhole ? 'ok' : 'degraded',
    currentEpoch: hasSentinels
      ? Math.max(0, ...sentinels.map(({ sample }) => sample?.epoch ?? 0))
      : undefined,
    slotsAssigned: undefined,
    nodes: inShards(nodes),
    sentinels: sentinels.map((each) => sentinelOf(each)),
  };
}

interface Around {
  readonly byAddress: ReadonlyMap<string, Probed>;
  readonly addresses: ReadonlySet<string>;
}

function nodeOf(
  probe: Probed,
  listed: readonly SentinelEntry[],
  { byAddress, addresses }: Around,
): NodeSnapshot {
  const { address, sample, failure } = probe;
  const isAnswering = failure === undefined && sample !== undefined;
  const role = isAnswering ? roleOf(sample) : (listed[0]?.role ?? 'master');
  const known = sample === undefined ? undefined : masterOf(sample);
  const master = isAnswering ? known : (listed[0]?.masterAddress ?? known);
  return {
    id: address,
    address,
    role,
    masterId: role === 'replica' ? master : undefined,
    group: listed[0]?.group,
    health: healthOf(probe, listed),
    failure,
    slots: [],
    open: [],
    configEpoch: undefined,
    stats: isAnswering
      ? statsOf(sample, probe.before, {
          master: byAddress.get(master ?? '')?.sample,
          copiers: copiersOf(sample, addresses),
        })
      : undefined,
  };
}

function healthOf({ sample, failure }: Probed, listed: readonly SentinelEntry[]): Health {
  const flags = new Set(listed.flatMap((entry) => entry.flags));
  if (flags.has('o_down')) return 'odown';
  if (flags.has('s_down')) return 'sdown';
  if (failure !== undefined) return 'unreachable';
  if (sample === undefined) return 'unknown';
  return sample.info.get('loading') === '1' ? 'loading' : 'ok';
}

function isDown(health: Health): boolean {
  return health === 'odown' || health === 'sdown' || health === 'unreachable';
}

function sentinelOf({ address, sample, failure }: ProbedSentinel): SentinelSnapshot {
  const masters = (sample?.entries ?? []).filter(({ role }) => role === 'master');
  return {
    address,
    health: failure === undefined ? 'ok' : 'unreachable',
    failure,
    epoch: sample?.epoch,
    isTilted: sample?.isTilted ?? false,
    masters: masters.map(({ group }) => group),
  };
}

function addressOf({ address }: SentinelEntry): string {
  return address;
}

/** Address of the master that a replica names. */
function masterOf({ info }: NodeSample): string | undefined {
  const [host, port] = [info.get('master_host'), info.get('master_port')];
  return host === undefined || port === undefined ? undefined : `${host}:${port}`;
}
