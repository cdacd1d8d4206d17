/** nodes.conf at the start of a node. */
import type { ClusterMachine, ImportFlaw, Now } from '../cluster/index.ts';
import { type NodesConfReason, parseNodesConf } from '../config/index.ts';
import type { Inside } from './inside.ts';

export type LoadedNodes =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'loaded' }
  /** `reason` is the whole sentence for log and screen. */
  | { readonly kind: 'refused'; readonly reason: string };

const DAMAGE: Readonly<Record<NodesConfReason, string>> = {
  unbalancedQuotes: 'unbalanced quotes',
  tooFewFields: 'too few fields',
  badNodeId: 'not a node id',
  nodeTwice: 'the node is listed twice',
  badAddress: 'not an address',
  badShardId: 'not the id of a shard',
  unknownFlag: 'unknown flag',
  secondMyself: 'a second node is marked myself',
  noMyself: 'no node is marked myself',
  badMasterId: 'not the id of a master',
  badNumber: 'not a number',
  badLinkState: 'not a link state',
  badSlot: 'not a slot or range of slots',
  slotTwice: 'the slot is assigned twice',
  badVars: 'variables without a value',
  cutLine: 'the line is cut short',
};

const FLAWS: Readonly<Record<ImportFlaw, string>> = {
  noMyself: 'no node is marked myself',
  twoMyselves: 'a second node is marked myself',
  badNodeId: 'not a node id',
  duplicateNodeId: 'the node is listed twice',
  badSlot: 'a slot out of range',
  duplicateSlot: 'a slot is assigned twice',
  unknownNodeId: 'it names a node that is not listed',
};

/** Longest piece of the file that is quoted. */
const QUOTED_SIZE_MAX = 100;

/** Reads the file into a machine that has not stepped yet. */
export function loadNodes(inside: Inside, machine: ClusterMachine, now: Now): LoadedNodes {
  const name = inside.settings['cluster-config-file'];
  const text = inside.ports.files.readState(name);
  if (text === undefined) return { kind: 'fresh' };
  if (typeof text !== 'string') {
    return { kind: 'refused', reason: `Can't open ${name}: ${text.failure}` };
  }
  const parsed = parseNodesConf(text);
  if (parsed.kind === 'fresh') return { kind: 'fresh' };
  if (parsed.kind === 'damaged') {
    const { line, reason, found } = parsed.damage;
    const quoted = found === '' ? '' : `: "${found.slice(0, QUOTED_SIZE_MAX)}"`;
    return refused(name, `line ${line}: ${DAMAGE[reason]}${quoted}`);
  }
  const flaw = machine.importNodes(now, parsed.conf);
  if (flaw === undefined) return { kind: 'loaded' };
  const line = text.split('\n').findIndex((row) => row.startsWith(flaw.node)) + 1;
  return refused(name, `line ${line}: ${FLAWS[flaw.flaw]}`);
}

function refused(name: string, what: string): LoadedNodes {
  const reason = `Unrecoverable error: corrupted cluster config file "${name}", ${what}`;
  return { kind: 'refused', reason };
}
