/** What a running `slotline migrate run --json` says of itself, and what happens to its ends meanwhile. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Cluster } from './cluster.ts';
import { REDIS_CLI, required } from './programs.ts';
import type { Running } from './slotline.ts';

/** Whether the last word about every master is that it is followed. */
export function isFollowing(run: Running): boolean {
  const phases = new Map<string, string>();
  for (const line of run.stdout().split('\n')) {
    const match =
      /"event":"(?:progress|phase)","source":"([^"]+)",(?:"follows":"[^"]+",)?"phase":"([^"]+)"/.exec(
        line,
      );
    if (match !== null) phases.set(match[1] ?? '', match[2] ?? '');
  }
  return phases.size > 0 && [...phases.values()].every((phase) => phase === 'following');
}

/** Moves slots between two masters of a cluster, as redis-cli does. */
export async function moveSlots(
  cluster: Cluster,
  from: number,
  to: number,
  count: number,
): Promise<void> {
  const [source, target] = [cluster.node(from), cluster.node(to)];
  const ids = await Promise.all([source, target].map((node) => node.call('CLUSTER', 'MYID')));
  await promisify(execFile)(required(REDIS_CLI, 'redis-cli'), [
    ...['--cluster', 'reshard', `127.0.0.1:${source.port}`, '--cluster-yes'],
    ...['--cluster-from', String(ids[0]), '--cluster-to', String(ids[1])],
    ...['--cluster-slots', String(count)],
  ]);
}

/** Takes a master that has no slots any more out of its cluster, as redis-cli does. */
export async function removeNode(cluster: Cluster, index: number): Promise<void> {
  const node = cluster.node(index);
  const contact = cluster.nodes.find((each) => each !== node);
  await promisify(execFile)(required(REDIS_CLI, 'redis-cli'), [
    ...['--cluster', 'del-node', `127.0.0.1:${contact?.port}`],
    await node.text('CLUSTER', 'MYID'),
  ]);
  await node.kill();
}
