/**
 * A cluster as one of its nodes describes it in CLUSTER NODES. Read leniently: flags and fields of newer servers are
 * kept or skipped, lines that make no sense are left out, because a tool has to work on clusters in a bad state.
 */
import { SLOT_COUNT } from '../../base/index.ts';
import type { SlotRange } from './slot-ranges.ts';

export interface ClusterNode {
  readonly id: string;
  /** Empty while the node that was asked does not know its own address. */
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
  readonly flags: readonly string[];
  readonly role: 'master' | 'replica';
  readonly masterId: string | undefined;
  readonly configEpoch: number;
  readonly isMyself: boolean;
  readonly isConnected: boolean;
  readonly slots: readonly SlotRange[];
  /** Slots on their way out or in; known of the node that was asked only. */
  readonly open: readonly OpenSlot[];
}

export interface OpenSlot {
  readonly slot: number;
  readonly direction: 'migrating' | 'importing';
  /** Id of the node at the other end. */
  readonly peerId: string;
}

const LINE_FIELDS_MIN = 8;

/** The nodes of a CLUSTER NODES text, in its order. Source: documentation of CLUSTER NODES. */
export function parseClusterNodes(text: string): ClusterNode[] {
  return text
    .split(/\r?\n/)
    .map((line) => parseLine(line))
    .filter((node) => node !== undefined);
}

/** A node that others can work with: not in handshake, with an address, not FAIL. */
export function isUsable(node: ClusterNode): boolean {
  return !['handshake', 'noaddr', 'fail'].some((flag) => node.flags.includes(flag));
}

/** The nodes that copy `master`. */
export function replicasOf(master: ClusterNode, nodes: readonly ClusterNode[]): ClusterNode[] {
  return nodes.filter((node) => node.masterId === master.id);
}

/**
 * The node that `reference` means: a whole id, the beginning of one that is unique, or `host:port`. Undefined when there
 * is none or more than one.
 */
export function findNode(
  nodes: readonly ClusterNode[],
  reference: string,
): ClusterNode | undefined {
  const byAddress = nodes.filter((node) => `${node.host}:${node.port}` === reference);
  if (byAddress.length > 0) return byAddress.length === 1 ? byAddress[0] : undefined;
  const byId = nodes.filter((node) => node.id.startsWith(reference.toLowerCase()));
  return byId.length === 1 ? byId[0] : undefined;
}

/** Short form of a node id for people. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

function parseLine(line: string): ClusterNode | undefined {
  const fields = line.trim().split(' ');
  if (fields.length < LINE_FIELDS_MIN) return undefined;
  const [id = '', address = '', flagText = '', master = '-', , , epoch = '', link = ''] = fields;
  // The address is ip:port@busPort, then a comma and the announced name, then perhaps more fields with commas.
  const where = /^(.*):(\d+)(?:@(\d+))?$/.exec(address.split(',')[0] ?? '');
  if (where === null || !/^[0-9a-f]{40}$/.test(id)) return undefined;
  const port = Number(where[2]);
  const flags = flagText.split(',').filter((flag) => flag !== 'noflags');
  const slots = fields.slice(LINE_FIELDS_MIN);
  return {
    id,
    host: where[1] ?? '',
    port,
    busPort: where[3] === undefined ? port + 10_000 : Number(where[3]),
    flags,
    role: flags.includes('slave') ? 'replica' : 'master',
    masterId: master === '-' ? undefined : master,
    configEpoch: Number(epoch),
    isMyself: flags.includes('myself'),
    isConnected: link === 'connected',
    slots: slots.map((token) => parseRange(token)).filter((range) => range !== undefined),
    open: slots.map((token) => parseOpen(token)).filter((open) => open !== undefined),
  };
}

function parseRange(token: string): SlotRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(token);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return first <= last && last < SLOT_COUNT ? [first, last] : undefined;
}

function parseOpen(token: string): OpenSlot | undefined {
  const match = /^\[(\d{1,5})-([<>])-([0-9a-f]{40})\]$/.exec(token);
  if (match === null) return undefined;
  return {
    slot: Number(match[1]),
    direction: match[2] === '>' ? 'migrating' : 'importing',
    peerId: match[3] ?? '',
  };
}
