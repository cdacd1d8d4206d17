/** How a command puts a value that it made under a key, whatever was there. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, type Ref } from '../keyspace/index.ts';
import type { Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { notifyKey, writeKey } from './key-access.ts';

export interface StoredResult {
  readonly eventClass: number;
  readonly event: string;
  /** What it counts for, default 1. */
  readonly changes?: number;
  /** Puts the value under the key, which is not there then; undefined when there is no value. */
  readonly store: (() => Ref) | undefined;
}

/**
 * Puts a result under the key in argument `i`. One without members deletes the key, and is no
 * change when there was none.
 */
export function storeResult(
  context: Context,
  request: Request,
  i: number,
  { store, eventClass, event, changes = 1 }: StoredResult,
): void {
  const { db } = context;
  const old = writeKey(context, request, i);
  if (store === undefined) {
    if (old === NONE) return;
    db.delete(old);
    return notifyKey(context, KEYSPACE_EVENT.g, 'del', request, i);
  }
  if (old !== NONE) db.drop(old);
  const ref = store();
  db.changed(ref, changes);
  if (old === NONE) notifyKey(context, KEYSPACE_EVENT.n, 'new', request, i);
  notifyKey(context, eventClass, event, request, i);
}
