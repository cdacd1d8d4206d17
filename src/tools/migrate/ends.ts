/** The two ends of a migration: what they are called, and where their masters stand. */
import { SLOT_COUNT } from '../../base/index.ts';
import {
  type Deployment,
  type DeploymentOptions,
  formatAddress,
  replyFacts,
} from '../../client/index.ts';
import { formatRanges, rangesOf } from '../cluster/slot-ranges.ts';

/** One side: nodes, or files. */
export type MigrateEnd =
  | { readonly kind: 'nodes'; readonly nodes: DeploymentOptions }
  | { readonly kind: 'files'; readonly paths: readonly string[] };

export interface StreamPlace {
  /** Address of the master. */
  readonly name: string;
  readonly replid: string;
  readonly offset: number;
}

/** As the user named it, without its password. */
export function endName({ seeds, masterName }: DeploymentOptions): string {
  const nodes = seeds.map((seed) => formatAddress(seed)).join(',');
  return masterName === undefined ? nodes : `${masterName}@${nodes}`;
}

/** What `slotsText` says of a master without slots. */
export const NO_SLOTS = '-';

/** The slots that a text of `slotsText` names; those of a cluster only. */
export function slotsIn(text: string): ReadonlySet<number> {
  const slots = new Set<number>();
  for (const [, first = '', last = first] of text.matchAll(/(\d+)(?:-(\d+))?/g)) {
    for (let slot = Number(first); slot <= Number(last); slot++) slots.add(slot);
  }
  return slots;
}

/** The slots of a master, such as `0-5460`; `all` where there are none. */
export function slotsText(source: Deployment, master: number): string {
  if (!source.isCluster) return 'all';
  const slots = Array.from({ length: SLOT_COUNT }, (_, slot) => slot);
  return formatRanges(rangesOf(slots.filter((slot) => source.ownerOfSlot(slot) === master)));
}

/** Where each master's stream of writes stands now. */
export async function offsetsOf(deployment: Deployment): Promise<readonly StreamPlace[]> {
  const asked = deployment.masters().map(async (endpoint, index) => {
    const client = await deployment.connection(index);
    const facts = replyFacts(await client.call('INFO', 'replication'));
    return {
      name: formatAddress(endpoint),
      replid: facts.get('master_replid') ?? '',
      offset: Number(facts.get('master_repl_offset')),
    };
  });
  return Promise.all(asked);
}
