/**
 * Live copy of one deployment into another: a snapshot of each master, then its stream of writes, until the target can
 * take over.
 */
export { KeyFilter } from './key-filter.ts';
export { type CutoverOptions, cutover } from './cutover.ts';
export { type PlanOptions, plan } from './plan.ts';
export type { MigrateEnd } from './ends.ts';
export { run, type RunOptions } from './run.ts';
export { readShakeConfig } from './shake-config.ts';
export type { ShakeEnd } from './shake-wishes.ts';
export { order, showStatus } from './status.ts';
