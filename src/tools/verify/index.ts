/**
 * The full check: proof that two deployments hold the same data, key by key and field by field, in both directions.
 */
export { comparePortraits } from './differences.ts';
export { type FullCheckFlags, fullCheckWish } from './full-check.ts';
export { PortraitPainter } from './portrait.ts';
export { hasSqlite } from './result-database.ts';
export { resultFile } from './result-files.ts';
export { verify, type VerifyOptions } from './verify.ts';
