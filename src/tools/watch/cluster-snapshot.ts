/**
 * A cluster as all its nodes tell it. The base is the view of the node that knows the highest epoch; what a node says of
 * itself outweighs it, because a new master knows first; and a failure counts as soon as one node tells of it. Pure.
 */
import { SLOT_COUNT } from '../../base/index.ts';
import { formatAddress } from '../../client/index.ts';
import { type ClusterNode, slotCount } from '../cluster/index.ts';
import type { Copier, Health, NodeSnapshot, WatchSnapshot } from './model.ts';
import { type NodeSample, listedReplicas, numberOf, offsetOf, statsOf } from './sample.ts';

/** What is known of one node from asking it. */
export interface Probed {
  /** `host:port` under which it is asked. */
  readonly address: string;
  /** The last answer; kept when the node fell silent. */
  readonly sample: NodeSample | undefined;
  readonly before: NodeSample | undefined;
  /** Why the last poll had no answer; undefined when it had one. */
  readonly failure: string | undefined;
}

/** A node of the base view with the address under which it is asked. */
interface Member {
  readonly node: ClusterNode;
  readonly address: string;
}

/** The nodes to ask next, from the answers so far. */
export function clusterMembers(probes: readonly Probed[]): Member[] {
  const base = baseOf(probes);
  if (base?.sample === undefined) return [];
  return base.sample.view
    .filter(({ flags }) => !flags.includes('handshake'))
    .map((node) => ({
      node,
      // A node that was never told its own address has none in its own line.
      address: node.host === '' ? base.address : formatAddress(node),
    }));
}

export function clusterSnapshot(
  probes: readonly Probed[],
  facts: Pick<WatchSnapshot, 'atUnixMs' | 'name' | 'work'>,
): WatchSnapshot {
  const byAddress = new Map(probes.map((probe) => [probe.address, probe]));
  const answering = probes.filter(({ failure }) => failure === undefined);
  const members = clusterMembers(probes);
  const addresses = new Set(members.map(({ address }) => address));
  const sampleById = new Map(
    members.map(({ node, address }) => [node.id, byAddress.get(address)?.sample]),
  );
  const nodes = members.map((member): NodeSnapshot => {
    const probe = byAddress.get(member.address);
    const own = probe?.failure === undefined ? myself(probe?.sample) : undefined;
    const node = own ?? member.node;
    return {
      id: node.id,
      address: member.address,
      role: node.role,
      masterId: node.masterId,
      group: undefined,
      health: healthOf(node.id, probe, answering),
      failure: probe?.failure,
      slots: node.slots,
      open: node.open,
      configEpoch: node.configEpoch,
      stats:
        probe?.sample === undefined || probe.failure !== undefined
          ? undefined
          : statsOf(probe.sample, probe.before, {
              master: sampleById.get(node.masterId ?? ''),
              copiers: copiersOf(probe.sample, addresses),
            }),
    };
  });
  const owners = nodes.filter(({ slots, role }) => role === 'master' && slots.length > 0);
  const slotsAssigned = Math.min(
    SLOT_COUNT,
    owners.reduce((sum, { slots }) => sum + slotCount(slots), 0),
  );
  return {
    ...facts,
    kind: 'cluster',
    state: stateOf(nodes, answering),
    currentEpoch: Math.max(
      0,
      ...answering.map(({ sample }) => numberOf(sample?.cluster ?? new Map(), EPOCH_FIELD)),
    ),
    slotsAssigned,
    nodes: inShards(nodes),
    sentinels: [],
  };
}

/** Masters by their first slot, each followed by its replicas; nodes without either at the end. */
export function inShards(nodes: readonly NodeSnapshot[]): NodeSnapshot[] {
  const masters = nodes
    .filter(({ role }) => role === 'master')
    .toSorted((a, b) => firstSlot(a) - firstSlot(b) || byAddress(a, b));
  const ordered = masters.flatMap((master) => [
    master,
    ...nodes
      .filter(({ role, masterId }) => role === 'replica' && masterId === master.id)
      .toSorted(byAddress),
  ]);
  const placed = new Set(ordered);
  return [...ordered, ...nodes.filter((node) => !placed.has(node)).toSorted(byAddress)];
}

/** Those that a node lists among its replicas without being of the deployment. */
export function copiersOf(sample: NodeSample, members: ReadonlySet<string>): Copier[] {
  return listedReplicas(sample)
    .filter(({ address }) => !members.has(address))
    .map(({ address, offset }) => ({
      address,
      lagBytes: Math.max(0, offsetOf(sample) - offset),
    }));
}

const EPOCH_FIELD = 'cluster_current_epoch';

function baseOf(probes: readonly Probed[]): Probed | undefined {
  const known = probes.filter(({ sample }) => (sample?.view.length ?? 0) > 0);
  return known.toSorted((a, b) => rank(b) - rank(a))[0];
}

/** Nodes that answer before silent ones, then by what they know. */
function rank({ sample, failure }: Probed): number {
  if (sample === undefined) return -1;
  const isOk = sample.cluster.get('cluster_state') === 'ok' ? 0.5 : 0;
  const epoch = numberOf(sample.cluster, EPOCH_FIELD);
  return (failure === undefined ? 2 ** 40 : 0) + epoch + isOk;
}

function myself(sample: NodeSample | undefined): ClusterNode | undefined {
  return sample?.view.find(({ isMyself }) => isMyself);
}

function healthOf(id: string, probe: Probed | undefined, answering: readonly Probed[]): Health {
  let isSuspected = false;
  for (const { sample } of answering) {
    const flags = sample?.view.find((node) => node.id === id && !node.isMyself)?.flags ?? [];
    if (flags.includes('fail')) return 'fail';
    isSuspected ||= flags.includes('fail?');
  }
  if (isSuspected) return 'pfail';
  if (probe?.failure !== undefined) return 'unreachable';
  if (probe?.sample === undefined) return 'unknown';
  return probe.sample.info.get('loading') === '1' ? 'loading' : 'ok';
}

function stateOf(
  nodes: readonly NodeSnapshot[],
  answering: readonly Probed[],
): WatchSnapshot['state'] {
  const isFailed = ({ sample }: Probed): boolean =>
    sample?.cluster.get('cluster_state') !== undefined &&
    sample.cluster.get('cluster_state') !== 'ok';
  const failed = answering.filter((probe) => isFailed(probe)).length;
  if (answering.length === 0 || failed * 2 > answering.length) return 'fail';
  return failed > 0 || nodes.some((node) => isAmiss(node)) ? 'degraded' : 'ok';
}

/** Something about this node needs a look. */
export function isAmiss({ health, stats }: NodeSnapshot): boolean {
  return health !== 'ok' || stats?.isLinkUp === false;
}

function firstSlot({ slots }: NodeSnapshot): number {
  return slots[0]?.[0] ?? SLOT_COUNT;
}

function byAddress(a: NodeSnapshot, b: NodeSnapshot): number {
  return a.address.localeCompare(b.address, 'en', { numeric: true });
}
