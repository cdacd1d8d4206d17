/** Which clients watch which keys, and which of them a change breaks. */
import type { Session } from '../commands/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import { NONE } from '../keyspace/index.ts';
import { keyName } from './key-name.ts';

interface Watch {
  readonly session: Session;
  readonly dbIndex: number;
  readonly key: Buffer;
  /** Whether the key was there, expired or not, when it was watched. */
  existed: boolean;
  /** It was there but expired: its removal is then no change. */
  wasExpired: boolean;
}

export class Watches {
  readonly #keyspace: () => Keyspace;
  readonly #byKey: Map<string, Watch[]> = new Map<string, Watch[]>();
  /** By the same names as `#byKey`. */
  readonly #bySession: Map<Session, Map<string, Watch>> = new Map<Session, Map<string, Watch>>();
  /** The next `touched` is about a key that is being removed because it expired. */
  isExpiring = false;

  constructor(keyspace: () => Keyspace) {
    this.#keyspace = keyspace;
  }

  get isEmpty(): boolean {
    return this.#bySession.size === 0;
  }

  watch(session: Session, key: Buffer): void {
    const dbIndex = session.dbIndex;
    const name = keyName(dbIndex, key, 0, key.length);
    const mine = this.#bySession.get(session) ?? new Map<string, Watch>();
    if (mine.has(name)) return;
    const db = this.#keyspace().db(dbIndex);
    const ref = db.find(key, 0, key.length);
    const existed = ref !== NONE;
    const wasExpired = existed && db.isExpired(ref);
    const watch: Watch = { session, dbIndex, key, existed, wasExpired };
    mine.set(name, watch);
    session.watchedCount = mine.size;
    this.#bySession.set(session, mine);
    const others = this.#byKey.get(name);
    if (others === undefined) this.#byKey.set(name, [watch]);
    else others.push(watch);
  }

  unwatch(session: Session): void {
    session.isWatchBroken = false;
    const mine = this.#bySession.get(session);
    if (mine === undefined) return;
    this.#bySession.delete(session);
    session.watchedCount = 0;
    for (const [name, watch] of mine) {
      const left = (this.#byKey.get(name) ?? []).filter((other) => other !== watch);
      if (left.length === 0) this.#byKey.delete(name);
      else this.#byKey.set(name, left);
    }
  }

  /** Whether a key that the client watches has expired since. */
  hasExpired(session: Session): boolean {
    for (const watch of this.#bySession.get(session)?.values() ?? []) {
      if (watch.wasExpired) continue;
      const db = this.#keyspace().db(watch.dbIndex);
      const ref = db.find(watch.key, 0, watch.key.length);
      if (ref !== NONE && db.isExpired(ref)) return true;
    }
    return false;
  }

  touched(dbIndex: number, buf: Uint8Array, at: number, size: number): void {
    const isExpiring = this.isExpiring;
    this.isExpiring = false;
    const watches = this.#byKey.get(keyName(dbIndex, buf, at, size));
    if (watches === undefined) return;
    for (const watch of watches) {
      if (isExpiring && watch.wasExpired) forgetExpired(watch);
      else watch.session.isWatchBroken = true;
    }
  }

  /** All contents of a database were exchanged or removed: keys that are not in either have not changed. */
  replaced(dbIndex: number): void {
    const db = this.#keyspace().db(dbIndex);
    for (const watches of this.#byKey.values()) {
      for (const watch of watches) {
        if (watch.dbIndex !== dbIndex) continue;
        const ref = db.find(watch.key, 0, watch.key.length);
        const exists = ref !== NONE;
        if (!isChanged(watch, { exists, isExpired: exists && db.isExpired(ref) })) continue;
        watch.session.isWatchBroken = true;
      }
    }
  }
}

/** The key that was there, but expired, is gone now: for its watcher nothing has changed. */
function forgetExpired(watch: Watch): void {
  watch.existed = false;
  watch.wasExpired = false;
}

/** Whether new contents of the database change a key for its watcher: expired is as good as absent. */
function isChanged(
  watch: Watch,
  now: { readonly exists: boolean; readonly isExpired: boolean },
): boolean {
  if (!watch.existed && !now.exists) return false;
  if (watch.wasExpired && !now.exists) {
    forgetExpired(watch);
    return false;
  }
  if (watch.wasExpired) return !now.isExpired;
  if (watch.existed || !now.isExpired) return true;
  watch.existed = true;
  watch.wasExpired = true;
  return false;
}
