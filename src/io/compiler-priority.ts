/**
 * Lets the thread that compiles, and marks garbage, stand back behind those that serve. Where processors are scarce (a new
 * server under load, several that fail over on one machine) it would take whole time slices from the thread that answers
 * clients, and from the clients.
 */
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { attempt } from './system-words.ts';

/** What is added to its nice value: a tenth of a processor against one busy thread. */
const NICENESS = 10;
const NICE_MAX = 19;
/** The runtime starts a timer's thread first, then its workers. Source: Node's node_platform.cc. */
const FIRST_WORKER = 2;
/** How many they are; the programs in bin/ say so. */
const POOL_FLAG = /^--v8-pool-size=(\d+)$/;

/** Why it could not be done, if so; nothing is done elsewhere than on Linux, where a thread has a priority of its own. */
export function lowerCompilerPriority(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return attempt(() => {
    const threads = readdirSync('/proc/self/task').map(Number);
    for (const thread of workersAmong(threads, process.pid, process.execArgv)) {
      setPriority(thread, Math.min(getPriority(thread) + NICENESS, NICE_MAX));
    }
  });
}

/** The runtime's workers among the threads of process `pid`; none where nobody can tell. */
export function workersAmong(
  threads: readonly number[],
  pid: number,
  flags: readonly string[],
): readonly number[] {
  const workers = Number(flags.map((each) => POOL_FLAG.exec(each)?.[1]).find(Boolean) ?? 0);
  // Threads are numbered in the order in which they begin, unless the numbers started anew among them.
  const inOrder = threads.toSorted((a, b) => a - b);
  return inOrder[0] === pid ? inOrder.slice(FIRST_WORKER, FIRST_WORKER + workers) : [];
}
