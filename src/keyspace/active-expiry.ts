/** The active part of expiry: finds keys whose time has come although nobody asks for them. */
import type { Ref } from './arena.ts';
import type { Database } from './database.ts';
import { HASH_END } from './table.ts';

/** How hard active expiry looks. */
export interface ExpiryPace {
  /** Keys looked at between two decisions to go on. */
  readonly keysPerLoop: number;
  /** Going on is worth it above this share of expired keys. */
  readonly acceptableShare: number;
}

/** What a slice of active expiry found. */
export interface ExpiryReport {
  readonly looked: number;
  readonly expired: number;
  /** Whether so many were expired that another slice soon is worth it. */
  readonly isMoreLikely: boolean;
}

/**
 * Looks at volatile keys of one database in hash order, from where the last slice ended, some at a time while more than
 * the acceptable share of them are expired, `keysMax` at most (rounded up to whole loops). Expired keys are removed and
 * reported to `hooks.expired`. Only for expiry mode 'delete'.
 */
export function activeExpire(
  db: Database,
  nowMs: number,
  { keysPerLoop, acceptableShare }: ExpiryPace,
  keysMax: number = keysPerLoop,
): ExpiryReport {
  const store = db.store;
  let looked = 0;
  let expired = 0;
  let isMoreLikely = true;
  let ttlSum = 0;
  const visit = (ref: Ref): void => {
    const ttl = store.entries.expireAt(ref) - nowMs;
    if (db.expireIfDue(ref)) expired++;
    else ttlSum += Math.max(0, ttl);
  };
  while (isMoreLikely && looked < keysMax && store.expires.size > 0) {
    const expiredBefore = expired;
    ttlSum = 0;
    store.expireCursor = store.expires.scan(0, store.expireCursor, keysPerLoop, visit);
    if (store.expireCursor === HASH_END) store.expireCursor = 0;
    const count = store.expires.scannedCount;
    const expiredCount = expired - expiredBefore;
    looked += count;
    if (count > expiredCount) noteTtl(db, ttlSum / (count - expiredCount));
    // A loop that met the end of the table may have seen too few to judge by.
    isMoreLikely = count === 0 || expiredCount / count > acceptableShare;
  }
  return { looked, expired, isMoreLikely: isMoreLikely && store.expires.size > 0 };
}

/**
 * On a replica that takes writes: looks at about `keysMax` volatile keys of one database, in hash order from where the
 * last slice ended, and removes those whose time is over if one of its own clients set that time.
 */
export function expireOwnKeys(db: Database, keysMax: number): void {
  const { store } = db;
  if (store.expires.size === 0) return;
  const visit = (ref: Ref): void => db.expireOwnIfDue(ref);
  store.expireCursor = store.expires.scan(0, store.expireCursor, keysMax, visit);
  if (store.expireCursor === HASH_END) store.expireCursor = 0;
}

/**
 * Source: 7.0 expire.c, activeExpireCycle(): a running average in which a new sample weighs 2 %.
 */
function noteTtl(db: Database, averageMs: number): void {
  const store = db.store;
  const old = store.averageTtlMs;
  store.averageTtlMs =
    old === 0 ? averageMs : Math.floor(old / 50) * 49 + Math.floor(averageMs / 50);
}
