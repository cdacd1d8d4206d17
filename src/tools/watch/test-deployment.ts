/** A small cluster as its nodes would answer, for tests. */
import { replyFacts } from '../../client/index.ts';
import { parseClusterNodes } from '../cluster/index.ts';
import type { Probed } from './cluster-snapshot.ts';
import type { NodeSample } from './sample.ts';

export interface NodeWish {
  readonly port: number;
  readonly master?: number;
  readonly slots?: string;
  readonly flags?: string;
  readonly epoch?: number;
}

export function idOf(port: number): string {
  return String(port).padStart(40, '0');
}

export function addressOf(port: number): string {
  return `127.0.0.1:${port}`;
}

/** CLUSTER NODES as the node at `me` would write it. */
export function viewOf(me: number, nodes: readonly NodeWish[]): string {
  return nodes
    .map(({ port, master, slots = '', flags = '', epoch = 1 }) => {
      const role = master === undefined ? 'master' : 'slave';
      const words = [port === me ? 'myself' : '', role, flags].filter((word) => word !== '');
      const of = master === undefined ? '-' : idOf(master);
      return `${idOf(port)} ${addressOf(port)}@${port + 10_000} ${words.join(',')} ${of} 0 0 ${epoch} connected ${slots}`.trim();
    })
    .join('\n');
}

/** Lines of INFO. */
export function factsOf(lines: readonly string[]): ReadonlyMap<string, string> {
  return replyFacts(lines.join('\r\n'));
}

/** An answer of the node at `port` to whom the cluster looks like `nodes`, with lines of INFO and CLUSTER INFO. */
export function sampleOf(
  port: number,
  nodes: readonly NodeWish[],
  facts: readonly string[] = [],
): NodeSample {
  const own = nodes.find((node) => node.port === port);
  const isReplica = own?.master !== undefined;
  const info = factsOf([
    `role:${isReplica ? 'slave' : 'master'}`,
    `run_id:run-${port}`,
    'redis_version:7.0.15',
    ...(isReplica ? ['master_link_status:up'] : []),
    ...facts,
  ]);
  const epoch = Math.max(...nodes.map((node) => node.epoch ?? 1));
  const cluster = factsOf(['cluster_state:ok', `cluster_current_epoch:${epoch}`, ...facts]);
  return {
    atMs: 1000,
    latencyMs: 0.2,
    info,
    cluster,
    view: parseClusterNodes(viewOf(port, nodes)),
  };
}

/** Every node answers and sees the same, but for those in `silent`. */
export function probesOf(
  nodes: readonly NodeWish[],
  silent: readonly number[] = [],
  facts: Readonly<Record<number, readonly string[]>> = {},
): Probed[] {
  return nodes.map(({ port }) => ({
    address: addressOf(port),
    sample: sampleOf(port, nodes, facts[port]),
    before: undefined,
    failure: silent.includes(port) ? 'connection refused' : undefined,
  }));
}
