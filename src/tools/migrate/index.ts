/**
 * Live copy of one deployment into another: a snapshot of each master, then its stream of writes, until the target can
 * take over.
 */
export { migrate, type MigrateOptions } from './migrate.ts';
