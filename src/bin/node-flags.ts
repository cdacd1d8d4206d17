/**
 * How the runtime of a server process is started. The data lives outside the JavaScript heap, so a young generation of a
 * megabyte is enough, and one helper thread does what four would: each has a memory arena of its own. Measured with
 * node-bench.mjs, this saves 10 to 15 MB of a process, and the compiler's threads cost less CPU. A failover is mostly code
 * that runs for the first time: made into plain machine code at once and not interpreted, it takes less time and 4 MB.
 * A command runs through some twenty small functions, which V8 joins to one where its limit allows: more room for that
 * makes commands a tenth cheaper. Larger functions take longer to compile, so that thread stands back
 * (`io/compiler-priority.ts`): else a failover among processes just started would take half as long again.
 */
export const NODE_FLAGS: readonly string[] = [
  '--max-semi-space-size=1',
  '--v8-pool-size=1',
  '--always-sparkplug',
  '--max-inlined-bytecode-size-cumulative=3000',
];

/** The same for a Sentinel, which does all its work in that heap: with more room it is tidied up less often. */
export const SENTINEL_FLAGS: readonly string[] = ['--max-semi-space-size=4', '--v8-pool-size=1'];

/**
 * Where the C library is glibc, large blocks of memory are asked for as huge pages, if the system leaves that to the
 * program (`transparent_hugepage` is `madvise`). Redis must do without, because its forked children would copy two
 * megabytes for every byte that changes; no child is forked here. Source: glibc manual, Memory Allocation Tunables.
 */
export const NODE_ENVIRONMENT: Readonly<Record<string, string>> = {
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
};
