/** All commands of a node, assembled from their families. */
import { bitmapCommands } from './bitmap.ts';
import { clusterCommands } from './cluster.ts';
import { connectionCommands } from './connection.ts';
import { databaseCommands } from './databases.ts';
import { dumpCommands } from './dump.ts';
import { expiryCommands } from './expiry.ts';
import { functionCommands } from './function-commands.ts';
import { geoCommands } from './geo.ts';
import { hashCommands } from './hash.ts';
import { hyperloglogCommands } from './hyperloglog.ts';
import { keyCommands } from './keys.ts';
import { listCommands } from './list.ts';
import { pubsubCommands } from './pubsub-commands.ts';
import { replicationCommands } from './replication-commands.ts';
import { scanCommands } from './scan.ts';
import { scriptingCommands } from './scripting.ts';
import { sentinelCommands } from './sentinel.ts';
import { serverCommands } from './server-commands.ts';
import { setCommands } from './set.ts';
import { sortCommands } from './sort.ts';
import type { CommandSpec } from './spec.ts';
import { streamCommands } from './stream.ts';
import { stringCommands } from './string.ts';
import { transactionCommands } from './transaction-commands.ts';
import { zsetCommands } from './zset.ts';

/** Every command that a node has. */
export const commandSpecs: readonly CommandSpec[] = [
  ...connectionCommands,
  ...stringCommands,
  ...bitmapCommands,
  ...streamCommands,
  ...keyCommands,
  ...expiryCommands,
  ...scanCommands,
  ...dumpCommands,
  ...databaseCommands,
  ...hashCommands,
  ...hyperloglogCommands,
  ...listCommands,
  ...setCommands,
  ...sortCommands,
  ...pubsubCommands,
  ...transactionCommands,
  ...scriptingCommands,
  ...serverCommands,
  ...replicationCommands,
  ...clusterCommands,
  ...zsetCommands,
  ...geoCommands,
  ...functionCommands,
];

/** Commands of nodes that Sentinels have too. */
const SHARED: ReadonlySet<string> = new Set([
  ...['acl', 'auth', 'client', 'command', 'hello', 'info', 'ping', 'psubscribe', 'publish'],
  ...['punsubscribe', 'role', 'shutdown', 'subscribe', 'unsubscribe'],
]);

/** Every command that a Sentinel has. */
export const sentinelSpecs: readonly CommandSpec[] = [
  ...commandSpecs.filter(({ name }) => SHARED.has(name)),
  ...sentinelCommands,
];
