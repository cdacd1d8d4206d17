/**
 * Live copy of one deployment into another: a snapshot of each master, then its stream of writes, until the target can
 * take over.
 */
export { migrate, type MigrateOptions } from './migrate.ts';
export { type CutoverOptions, cutover } from './cutover.ts';
export { type PlanOptions, plan } from './plan.ts';
export { order, showStatus } from './status.ts';
