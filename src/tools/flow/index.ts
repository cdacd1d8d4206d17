/**
 * What tools that work through many keys share: questions about many keys at once, a bound on how much is under way, a
 * pace, and which databases belong together.
 */
export {
  type DatabasePair,
  type Databases,
  databasePairs,
  databasesWithKeys,
  isEmpty,
  keyCount,
  parseDatabases,
} from './databases.ts';
export { type ExpiryQuestion, expiryQuestion } from './expiry-times.ts';
export { Gate } from './gate.ts';
export {
  type KeyBatch,
  type ScanPage,
  type ScanQuestion,
  keyAt,
  keysOf,
  readKeys,
  readScanPage,
  scanPage,
} from './key-batch.ts';
export { type LibraryOutcome, librariesOf, libraryName, putLibrary } from './libraries.ts';
export { Pace } from './pace.ts';
export { ProgressKeys, isProgressKey } from './progress-keys.ts';
export { type Answers, type Question, type Side, ask } from './side.ts';
export { Abilities, askAbilities, askReadAbilities, productOf } from './abilities.ts';
export {
  type FieldExpiryPolicy,
  type Fitted,
  PayloadFitter,
  type Unfit,
} from './payload-fitter.ts';
export { type PutKey, putPayload } from './put-payload.ts';
