/**
 * What tools that work through many keys share: a bound on how much is under way, a pace, and which databases belong
 * together.
 */
export { type DatabasePair, type Databases, databasePairs, parseDatabases } from './databases.ts';
export { Gate } from './gate.ts';
export { Pace } from './pace.ts';
