/** Work on a cluster that nobody else changes meanwhile. */
import type { NodeAddress } from '../../client/index.ts';
import type { Screen } from '../screen.ts';
import { closeReport, inspectCluster } from './inspect.ts';
import { ClusterLock } from './lock.ts';
import { Stopping, withSignals } from './stopping.ts';

export interface LockOptions {
  readonly seeds: readonly NodeAddress[];
}

/** Does `work` under the cluster's lock; signals and the loss of the lock ask it to stop. Throws ToolError `LOCKED`. */
export async function withLock<T>(
  verb: string,
  { seeds }: LockOptions,
  screen: Screen,
  work: (stopping: Stopping) => Promise<T>,
): Promise<T> {
  const stopping = new Stopping();
  const note = (line: string): void => screen.note(line);
  return withSignals(stopping, note, async () => {
    const look = await inspectCluster(seeds);
    closeReport(look);
    const onLost = (): void => stopping.request('the loss of the cluster lock');
    const lock = await ClusterLock.take(look, verb, onLost);
    if (lock === undefined) {
      screen.note('Working without a lock: the cluster takes no writes now');
    }
    try {
      return await work(stopping);
    } finally {
      await lock?.release();
    }
  });
}
