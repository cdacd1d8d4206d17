/** The steps of operations on whole clusters: switch over, relocate, take over, upgrade. Pure. */
import { formatAddress } from '../../client/index.ts';
import type { NodeFacts } from './create-plan.ts';
import { type ClusterReport, type NodeReport, nodesOf, reportOf } from './inspect.ts';
import { chooseMaster } from './membership-plan.ts';
import type { Step } from './plan.ts';
import { findNode } from './topology.ts';

export type StepsDecision =
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | { readonly kind: 'refused'; readonly because: 'usage' | 'nodes'; readonly reason: string };

/** Every shard, or the one that `reference` is a node of, gets its most up-to-date replica as master. */
export function planSwitchover(
  report: ClusterReport,
  reference: string | undefined,
): StepsDecision {
  let masters = mastersOf(report);
  if (reference !== undefined) {
    const node = findNode(nodesOf(report), reference);
    if (node === undefined) {
      return usage(`"${reference}" is no node of this cluster, or several`);
    }
    masters = masters.filter(({ node: { id } }) => id === node.id || id === node.masterId);
  }
  return eachShard(report, masters, (master, replica) => [
    { kind: 'handOver', node: replica.node.id, master: master.node.id },
  ]);
}

/** Replicas restart first; then each master hands over and restarts as a replica. */
export function planUpgrade(report: ClusterReport, command: string): StepsDecision {
  const restart = ({ node }: NodeReport): Step => ({ kind: 'restart', node: node.id, command });
  const decision = eachShard(report, mastersOf(report), (master, replica) => [
    { kind: 'handOver', node: replica.node.id, master: master.node.id },
    restart(master),
  ]);
  if (decision.kind === 'refused') return decision;
  const replicas = report.nodes.filter(({ node }) => node.role === 'replica');
  const idle = report.nodes.filter(({ node }) => node.role === 'master' && node.slots.length === 0);
  return steps([...replicas.map(restart), ...idle.map(restart), ...decision.steps]);
}

/** Each named replica becomes master without anybody's agreement, for when the other data centre is gone. */
export function planTakeover(
  report: ClusterReport,
  references: readonly string[],
  isEvenIfMastersAnswer: boolean,
): StepsDecision {
  const planned: Step[] = [];
  const masters = new Set<string>();
  for (const reference of references) {
    const replica = findNode(nodesOf(report), reference);
    if (replica === undefined)
      return usage(`"${reference}" is no node of this cluster, or several`);
    if (replica.role === 'master') return usage(`"${reference}" is a master already`);
    const master = reportOf(report, replica.masterId ?? '');
    if (master === undefined) return nodes(`"${reference}" does not know its master`);
    if (masters.has(master.node.id)) {
      return usage(`two of the named replicas copy ${master.name}: name one of them`);
    }
    masters.add(master.node.id);
    if (master.own !== undefined && !isEvenIfMastersAnswer) {
      return nodes(
        `master ${master.name} answers: use "slotline cluster switchover", which loses nothing, or say --even-if-masters-answer`,
      );
    }
    planned.push({ kind: 'takeOver', node: replica.id, master: master.node.id });
  }
  return steps(planned);
}

/**
 * Every shard moves to new nodes: they join, copy, take over, and the old ones leave. `fresh` are as many as there are
 * masters, or a multiple of it: the first become masters, the others their replicas.
 */
export function planRelocation(report: ClusterReport, fresh: readonly NodeFacts[]): StepsDecision {
  const masters = mastersOf(report);
  if (fresh.length === 0 || fresh.length % masters.length !== 0) {
    return usage(
      `${fresh.length} new nodes cannot be shared out among ${masters.length} shards: name ${masters.length}, or a multiple of it`,
    );
  }
  const silent = report.nodes.find(({ own }) => own === undefined);
  if (silent !== undefined) return nodes(`${silent.name} cannot be reached`);
  const takers = fresh.slice(0, masters.length);
  const spare = fresh.slice(masters.length);
  const copies: Step[] = [];
  const handOvers: Step[] = [];
  for (const [index, { node: master }] of masters.entries()) {
    const taker = takers[index];
    if (taker === undefined) break;
    copies.push({ kind: 'replicate', node: taker.id, master: master.id });
    handOvers.push({ kind: 'handOver', node: taker.id, master: master.id });
    for (let count = fresh.length / masters.length; count > 1; count--) {
      // A replica on its master's host falls with it.
      const elsewhere = spare.findIndex(({ ip }) => ip !== taker.ip);
      const [replica] = spare.splice(Math.max(elsewhere, 0), 1);
      if (replica !== undefined) {
        copies.push({ kind: 'replicate', node: replica.id, master: master.id });
      }
    }
  }
  const joins = fresh.map((facts) => joinStep(facts));
  const leaving = report.nodes.toSorted((a, b) => rankOf(a) - rankOf(b));
  const forgets = leaving.map(({ node }): Step => ({ kind: 'forget', node: node.id }));
  return steps([...joins, ...copies, ...handOvers, ...forgets]);
}

/**
 * A new node takes the place of one that is gone. Of a master nobody has taken over from, its replica does so first;
 * without one its slots come back empty, which `acceptsLoss` has to allow.
 */
export function planReplacement(
  report: ClusterReport,
  reference: string,
  fresh: NodeFacts,
  acceptsLoss: boolean,
): StepsDecision {
  const gone = findNode(nodesOf(report), reference);
  if (gone === undefined) return usage(`"${reference}" is no node of this cluster, or several`);
  const name = `${gone.host}:${gone.port}`;
  if (reportOf(report, gone.id)?.own !== undefined) {
    return nodes(`${name} answers: use "slotline cluster relocate" or add-node and del-node`);
  }
  const join = joinStep(fresh);
  const forget: Step = { kind: 'forget', node: gone.id };
  const copy = (master: string): Step => ({ kind: 'replicate', node: fresh.id, master });
  if (gone.role === 'replica') {
    const master = reportOf(report, gone.masterId ?? '');
    if (master?.own === undefined) return nodes(`the master of ${name} cannot be reached either`);
    return steps([join, copy(master.node.id), forget]);
  }
  if (gone.slots.length === 0) {
    const choice = chooseMaster(nodesOf(report), undefined);
    if (choice.kind === 'refused') return nodes(choice.reason);
    return steps([join, copy(choice.master.id), forget]);
  }
  const heirs = report.nodes.filter(
    ({ node, own }) => node.masterId === gone.id && own !== undefined,
  );
  const [heir] = heirs.toSorted((a, b) => (b.own?.offset ?? 0) - (a.own?.offset ?? 0));
  if (heir !== undefined) {
    const takeOver: Step = { kind: 'takeOver', node: heir.node.id, master: gone.id };
    return steps([takeOver, join, copy(heir.node.id), forget]);
  }
  if (!acceptsLoss) {
    return nodes(
      `${name} owns slots and no replica has their keys: start it again, or say --accept-data-loss for empty slots`,
    );
  }
  return steps([join, { kind: 'assignSlots', node: fresh.id, slots: gone.slots }, forget]);
}

/** Replicas leave before their masters. */
function rankOf({ node }: NodeReport): number {
  return node.role === 'replica' ? 0 : 1;
}

function joinStep({ id, ip, port }: NodeFacts): Step {
  return { kind: 'join', node: id, address: formatAddress({ host: ip, port }) };
}

function mastersOf(report: ClusterReport): NodeReport[] {
  return report.nodes.filter(({ node }) => node.role === 'master' && node.slots.length > 0);
}

/** The steps of every shard one after the other, each with the replica that has most. */
function eachShard(
  report: ClusterReport,
  masters: readonly NodeReport[],
  stepsFor: (master: NodeReport, replica: NodeReport) => Step[],
): StepsDecision {
  const planned: Step[] = [];
  for (const master of masters) {
    const ready = report.nodes.filter(
      ({ node, own }) => node.masterId === master.node.id && own?.isLinkUp === true,
    );
    const replica = ready.toSorted((a, b) => (b.own?.offset ?? 0) - (a.own?.offset ?? 0))[0];
    if (replica === undefined) {
      return nodes(
        `master ${master.name} has no replica with a link to it: add one with "slotline cluster add-node --replica-of ${master.name}"`,
      );
    }
    planned.push(...stepsFor(master, replica));
  }
  return steps(planned);
}

function steps(planned: readonly Step[]): StepsDecision {
  return { kind: 'steps', steps: planned };
}

function usage(reason: string): StepsDecision {
  return { kind: 'refused', because: 'usage', reason };
}

function nodes(reason: string): StepsDecision {
  return { kind: 'refused', because: 'nodes', reason };
}
