/** How a node begins once its data is loaded. */
import type { Settings } from '../config/index.ts';
import type { ClusterPart } from './cluster.ts';
import type { Persistence } from './persistence.ts';
import type { ReplicationPart } from './replication.ts';

/** Begins as a master or as a replica, where the loaded data left off. */
export function takeRole(node: {
  readonly persistence: Pick<Persistence, 'position' | 'hadData'>;
  readonly replication: ReplicationPart;
  readonly settings: Settings;
  readonly cluster: ClusterPart | undefined;
}): void {
  const { cluster, persistence, replication, settings } = node;
  const { position } = persistence;
  if (position !== undefined) replication.restore(position);
  cluster?.start(persistence.hadData);
  const target = cluster === undefined ? settings.replicaof : undefined;
  if (target !== undefined) replication.follow(target.host, target.port, position === undefined);
  if (position !== undefined && !replication.isReplica) replication.goOn(position);
}
