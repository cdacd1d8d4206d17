/** Reports of clusters that were never started, for the planners' tests. */
import { RespClient } from '../../client/index.ts';
import type { ClusterReport, NodeReport, OwnReport } from './inspect.ts';
import type { ClusterNode } from './topology.ts';

/** A node `n` on port 7000 + n; a master of the given slots unless `changes` say otherwise. */
export function clusterNode(n: number, changes: Partial<ClusterNode> = {}): ClusterNode {
  const role = changes.role ?? 'master';
  return {
    id: testId(n),
    host: '127.0.0.1',
    port: 7000 + n,
    busPort: 17_000 + n,
    flags: [role === 'master' ? 'master' : 'slave'],
    role,
    masterId: undefined,
    configEpoch: n + 1,
    isMyself: false,
    isConnected: true,
    slots: [],
    open: [],
    ...changes,
  };
}

/** The id of node `n`: its own first character, so that prefixes are unique below 16. */
export function testId(n: number): string {
  return n.toString(16).padEnd(40, '0');
}

/** A healthy cluster: masters 0 to 2, replicas 3 to 5 of them. */
export function healthyNodes(): ClusterNode[] {
  return [
    clusterNode(0, { slots: [[0, 5460]] }),
    clusterNode(1, { slots: [[5461, 10922]] }),
    clusterNode(2, { slots: [[10923, 16383]] }),
    clusterNode(3, { role: 'replica', masterId: testId(0) }),
    clusterNode(4, { role: 'replica', masterId: testId(1) }),
    clusterNode(5, { role: 'replica', masterId: testId(2) }),
  ];
}

export interface ReportChanges {
  /** Changes to what node `n` says of itself; `undefined` for a node that does not answer. */
  readonly own?: Readonly<Record<number, Partial<OwnReport> | undefined>>;
  /** The node that was asked; default 0. */
  readonly seed?: number;
}

/** The report on `nodes` when everyone sees what they are. */
export function reportOn(
  nodes: readonly ClusterNode[],
  { own = {}, seed = 0 }: ReportChanges = {},
): ClusterReport {
  const reports = nodes.map((node, n): NodeReport => {
    const name = `${node.host}:${node.port}`;
    if (n in own && own[n] === undefined) {
      return { node, name, own: undefined, failure: 'connection refused' };
    }
    return { node, name, own: { ...ownReport(nodes, node), ...own[n] }, failure: undefined };
  });
  const asked = reports[seed];
  if (asked === undefined) throw new Error(`no node ${seed}`);
  return {
    seed: asked,
    nodes: reports,
    address: { host: '127.0.0.1', port: 7000, tls: false, db: 0 },
  };
}

/** `nodes` as `id` shows them. */
export function viewOf(nodes: readonly ClusterNode[], id: string): ClusterNode[] {
  return nodes.map((node) => ({ ...node, isMyself: node.id === id }));
}

function ownReport(nodes: readonly ClusterNode[], node: ClusterNode): OwnReport {
  return {
    // Planners never talk: any use of this would throw.
    client: Object.create(RespClient.prototype) as RespClient,
    view: viewOf(nodes, node.id),
    isStateOk: true,
    isLinkUp: true,
    keys: 0,
    offset: 100,
    isSyncing: false,
    memory: 0,
    currentEpoch: 6,
  };
}
