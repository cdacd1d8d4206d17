/** From the start of processes until a signal, or until the last of them has ended by itself. */
import { once } from 'node:events';
import { endSignals } from '../end-signals.ts';
import type { Screen } from '../screen.ts';

/** What is started together and ended together. */
export interface Undertaking {
  /** Starts everything; rejects when that fails. */
  readonly start: () => Promise<void>;
  /** Resolves when nothing runs any more; asked once everything has started. */
  readonly allEnded: () => Promise<unknown>;
  /** Ends what runs, in order. May be called again. */
  readonly end: () => Promise<void>;
  /** Ends what runs, at once. */
  readonly killAll: () => void;
  /** What there is one of for each process, as in "Every node has ended". */
  readonly noun: string;
}

/** Status 0 after a signal, 1 when everything has ended by itself. Throws what the start throws; nothing runs then. */
export async function runUntilStopped(what: Undertaking, screen: Screen): Promise<0 | 1> {
  // Nothing is left behind by who is impatient.
  const stop = endSignals({ names: ['SIGINT', 'SIGTERM', 'SIGHUP'], endsAtSecond: false });
  const stopped = once(stop.signal, 'abort').then(() => 'signal' as const);
  // The last resort, should this process fail in a way nobody thought of: nothing stays behind.
  process.once('exit', what.killAll);
  try {
    const start = what.start();
    const isStarted = await Promise.race([start.then(() => true), stopped.then(() => false)]);
    // After a signal the start fails, because its processes are ended under it.
    start.catch(() => undefined);
    if (!isStarted) return 0;
    const ended = what.allEnded();
    const why = await Promise.race([stopped, ended.then(() => 'ended' as const)]);
    if (why !== 'ended') return 0;
    screen.note(`Every ${what.noun} has ended, so there is nothing left to do`);
    return 1;
  } finally {
    await what.end();
    stop.release();
    process.off('exit', what.killAll);
  }
}
