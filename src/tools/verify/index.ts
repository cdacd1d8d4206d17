/**
 * The full check: proof that two deployments hold the same data, key by key and field by field, in both directions.
 */
export { verify, type VerifyOptions } from './verify.ts';
