/** Which database of the source belongs to which of the target. */
import { type Deployment, replyFacts } from '../../client/index.ts';
import { ToolError } from '../errors.ts';

export interface DatabasePair {
  readonly source: number;
  readonly target: number;
}

/** As the user wrote it: pairs, or undefined for each database and its namesake. */
export type Databases = readonly DatabasePair[] | undefined;

const PAIR = /^(\d{1,9})(?::(\d{1,9}))?$/;

/** `0:5,1` reads as database 0 to 5 and 1 to 1. Throws ToolError `USAGE`. */
export function parseDatabases(text: string | undefined): Databases {
  if (text === undefined) return undefined;
  return text.split(',').map((part) => {
    const match = PAIR.exec(part.trim());
    if (match === null) {
      throw new ToolError(
        'USAGE',
        `Cannot read databases "${text}": write source:target, as in 0:5,1:1`,
      );
    }
    return { source: Number(match[1]), target: Number(match[2] ?? match[1]) };
  });
}

/**
 * The pairs to work on: those that were named, or every database that has keys on either side. Throws ToolError
 * `NODES_REFUSED` when keys would be left out because a cluster has database 0 only.
 */
export async function databasePairs(
  source: Deployment,
  target: Deployment,
  named: Databases,
): Promise<readonly DatabasePair[]> {
  const pairs = named ?? (await sharedPairs(source, target));
  for (const { source: from, target: to } of pairs) {
    const isLacking = (source.isCluster && from !== 0) || (target.isCluster && to !== 0);
    if (isLacking) {
      throw new ToolError(
        'NODES_REFUSED',
        `Cannot pair database ${from} of the source with ${to} of the target: a cluster has database 0 only; say which to take with --db`,
      );
    }
  }
  return pairs;
}

/** Whether no database has a key. */
export async function isEmpty(deployment: Deployment): Promise<boolean> {
  const filled = deployment.masters().map(async (_, master) => {
    const client = await deployment.connection(master);
    const facts = replyFacts(await client.call('INFO', 'keyspace'));
    return [...facts.keys()].some((name) => name.startsWith('db'));
  });
  return !(await Promise.all(filled)).includes(true);
}

/** Keys of one database, on all masters; 0 where a node does not tell. */
export async function keyCount(deployment: Deployment, db: number): Promise<number> {
  const counts = deployment.masters().map(async (_, master) => {
    const client = await deployment.connection(master, db);
    const [count] = await client.pipeline([['DBSIZE']]);
    return typeof count === 'number' ? count : 0;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function sharedPairs(source: Deployment, target: Deployment): Promise<DatabasePair[]> {
  const numbers = new Set([
    0,
    ...(await databasesWithKeys(source)),
    ...(await databasesWithKeys(target)),
  ]);
  return [...numbers].sort((a, b) => a - b).map((db) => ({ source: db, target: db }));
}

/** Numbers of the databases that have keys. Throws ClientError. */
export async function databasesWithKeys(deployment: Deployment): Promise<number[]> {
  if (deployment.isCluster) return [0];
  const client = await deployment.connection(0);
  const facts = replyFacts(await client.call('INFO', 'keyspace'));
  return [...facts.keys()]
    .map((name) => Number(/^db(\d+)$/.exec(name)?.[1]))
    .filter((db) => db >= 0);
}
