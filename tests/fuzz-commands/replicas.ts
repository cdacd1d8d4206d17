/** A replica of each kind: a real one of our master and ours of a real master, which must have what the masters have. */
import { until } from '../interop/harness/until.ts';
import type { Finding } from './finding.ts';
import { type Server, stepOf } from './server.ts';

const SYNC_BOUND_MS = 30_000;
const WAIT_MS = '10000';

export interface Replicated {
  readonly master: Server;
  readonly replica: Server;
}

export async function untilLinked({ replica }: Replicated): Promise<void> {
  await until(
    async () =>
      (await replica.process.facts('INFO', 'replication')).get('master_link_status') === 'up',
    SYNC_BOUND_MS,
    `${replica.title} has the data of its master`,
  );
}

/** Waits until the replicas have everything, then compares the digest of each with its master's. */
export async function compareReplicas(pairs: readonly Replicated[]): Promise<Finding | undefined> {
  const findings = await Promise.all(pairs.map((pair) => compareReplica(pair)));
  return findings.find((finding) => finding !== undefined);
}

async function compareReplica({ master, replica }: Replicated): Promise<Finding | undefined> {
  const digest = stepOf('DEBUG', 'DIGEST');
  const wait = stepOf('WAIT', '1', WAIT_MS);
  const [acknowledged, wanted] = await master.run([wait, digest]);
  const [found] = await replica.run([digest]);
  if (String(acknowledged) === ':1\r\n' && String(wanted) === String(found)) return undefined;
  return {
    kind: 'replica',
    at: undefined,
    step: digest,
    ours: `${replica.title}: ${String(found)}`,
    real: `${master.title}: ${String(wanted)}WAIT: ${String(acknowledged)}`,
  };
}
