/**
 * Lets the thread that compiles, and marks garbage, stand back behind those that serve. Where processors are scarce (a new
 * server under load, several that fail over on one machine) it would take whole time slices from the thread that answers
 * clients, and from the clients.
 */
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** What is added to its nice value: a tenth of a processor against one busy thread. */
const NICENESS = 10;
const NICE_MAX = 19;
/** The runtime starts a timer's thread first, then its workers. Source: Node's node_platform.cc. */
const FIRST_WORKER = 2;
/** `--v8-pool-size`, which the programs in bin/ give. */
const POOL_FLAG = /^--v8-pool-size=(\d+)$/;

/** Elsewhere than on Linux, where a thread has a priority of its own, and in a runtime started without its flags, nothing. */
export function lowerCompilerPriority(): void {
  const workers = Number(process.execArgv.map((each) => POOL_FLAG.exec(each)?.[1]).find(Boolean));
  if (process.platform !== 'linux' || !(workers > 0)) return;
  // Threads are numbered in the order in which they begin, unless the numbers start anew among them.
  const threads = readdirSync('/proc/self/task').map(Number);
  threads.sort((a, b) => a - b);
  if (threads[0] !== process.pid) return;
  for (const thread of threads.slice(FIRST_WORKER, FIRST_WORKER + workers)) {
    setPriority(thread, Math.min(getPriority(thread) + NICENESS, NICE_MAX));
  }
}
