/** What one node of a cluster says at a moment, and what has changed since the moment before. Pure. */
import { replyFacts, replyText } from '../../client/index.ts';
import type { Reply } from '../../resp/index.ts';
import { type ClusterNode, formatRanges, parseClusterNodes } from '../cluster/index.ts';

/** The commands that make a sight, in their order. */
export const SIGHT_COMMANDS: readonly (readonly string[])[] = [
  ['CLUSTER', 'NODES'],
  ['CLUSTER', 'INFO'],
  ['INFO', 'replication'],
];

export interface Sight {
  readonly nodes: readonly ClusterNode[];
  readonly isStateOk: boolean;
  readonly currentEpoch: number;
  readonly isLinkUp: boolean;
  /** Counters of the bus: elections asked for, votes given, votes got. */
  readonly asked: number;
  readonly given: number;
  readonly got: number;
}

export interface Change {
  readonly kind: string;
  readonly text: string;
}

const RANGES_SHOWN = 4;

/** Reads the replies to `SIGHT_COMMANDS`. */
export function readSight(replies: readonly Reply[]): Sight {
  const [nodes, info, replication] = replies;
  const facts = replyFacts(info);
  const count = (name: string): number => Number(facts.get(`cluster_stats_messages_${name}`) ?? 0);
  return {
    nodes: parseClusterNodes(replyText(nodes)),
    isStateOk: facts.get('cluster_state') === 'ok',
    currentEpoch: Number(facts.get('cluster_current_epoch') ?? 0),
    isLinkUp: (replyFacts(replication).get('master_link_status') ?? 'up') === 'up',
    asked: count('auth-req_sent'),
    given: count('auth-ack_sent'),
    got: count('auth-ack_received'),
  };
}

/** What changed from one sight of a node called `name` to the next. */
export function changesOf(name: string, before: Sight, after: Sight): Change[] {
  const changes: Change[] = [];
  const add = (kind: string, text: string): void => void changes.push({ kind, text });
  if (after.currentEpoch > before.currentEpoch) add('epoch', `current epoch ${after.currentEpoch}`);
  if (after.asked > before.asked) add('election', `${name} asks for votes`);
  if (after.given > before.given) add('vote', `${name} gives its vote`);
  if (after.got > before.got) add('vote', `${name} has ${after.got - before.got} votes more`);
  if (after.isStateOk !== before.isStateOk) {
    add('state', `cluster state ${after.isStateOk ? 'ok' : 'fail'}`);
  }
  if (after.isLinkUp !== before.isLinkUp) {
    add('link', `${name} has ${after.isLinkUp ? 'its' : 'no'} link to its master`);
  }
  const known = new Map(before.nodes.map((node) => [node.id, node]));
  for (const node of after.nodes) {
    const old = known.get(node.id);
    if (old !== undefined) changes.push(...nodeChanges(old, node));
  }
  return changes;
}

function nodeChanges(before: ClusterNode, after: ClusterNode): Change[] {
  const changes: Change[] = [];
  const name = `${after.host}:${after.port}`;
  const health = healthOf(after);
  if (health !== healthOf(before)) {
    changes.push({ kind: health, text: `${name} is ${health === 'ok' ? 'well again' : health}` });
  }
  if (before.role !== after.role) {
    changes.push({ kind: 'role', text: `${name} is ${after.role}` });
  }
  if (after.role === 'master' && after.configEpoch !== before.configEpoch) {
    changes.push({ kind: 'epoch', text: `${name} has config epoch ${after.configEpoch}` });
  }
  const slots = formatRanges(after.slots, RANGES_SHOWN);
  if (slots !== formatRanges(before.slots, RANGES_SHOWN)) {
    const text = after.slots.length === 0 ? `${name} owns no slots` : `${name} owns ${slots}`;
    changes.push({ kind: 'slots', text });
  }
  return changes;
}

function healthOf({ flags }: ClusterNode): 'ok' | 'PFAIL' | 'FAIL' {
  if (flags.includes('fail')) return 'FAIL';
  return flags.includes('fail?') ? 'PFAIL' : 'ok';
}
