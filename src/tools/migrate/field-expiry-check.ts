/** Whether a copy would lose the expiry of fields, told by counts of the source before anything is changed. */
import { type Deployment, replyFacts } from '../../client/index.ts';
import { ToolError } from '../errors.ts';
import { type Abilities, askAbilities } from '../flow/index.ts';

/** Of the lines about databases in INFO: Redis 7.4, and Valkey 9. Redis counts those of which no field expires any more. */
const COUNTS = /\b(?:subexpiry|keys_with_volatile_items)=(\d+)/;

/** Hashes that may have fields that expire, as INFO tells. */
export function expiringHashes(info: ReadonlyMap<string, string>): number {
  let count = 0;
  for (const [name, text] of info) {
    if (/^db\d+$/.test(name)) count += Number(COUNTS.exec(text)?.[1] ?? 0);
  }
  return count;
}

/** What is said of so many hashes of the source; undefined where nothing stands in the way. */
export function fieldExpiryProblem(count: number, target: Abilities): string | undefined {
  if (count === 0 || target.hasFieldExpiry) return undefined;
  const hashes = count === 1 ? '1 hash has' : `${count} hashes have`;
  return `${hashes} fields that expire, which ${target.product} does not have`;
}

/** Throws ToolError where fields would lose their expiry, and ClientError. */
export async function refuseFieldExpiry(source: Deployment, target: Deployment): Promise<void> {
  const counts = source.masters().map(async (_, master) => {
    const client = await source.connection(master);
    return expiringHashes(replyFacts(await client.call('INFO', 'keyspace')));
  });
  const count = (await Promise.all(counts)).reduce((sum, each) => sum + each, 0);
  if (count === 0) return;
  const problem = fieldExpiryProblem(count, await askAbilities(target));
  if (problem === undefined) return;
  const advice = '--drop-field-expiry copies such fields to stay for good';
  throw new ToolError('NODES_REFUSED', `Cannot copy ${source.name}: ${problem}; ${advice}`);
}
