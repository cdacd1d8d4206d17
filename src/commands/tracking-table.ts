/**
 * Client-side caching: which clients may hold copies of which keys, and the messages that tell them to drop them.
 * Key names are text of one character a byte; as in Redis the database does not matter.
 */
import type { ReplyWriter } from '../resp/index.ts';
import type { Session } from './session.ts';
import type { Tracking } from './tracking.ts';

/** Channel of messages to clients that speak RESP2. */
const INVALIDATE_CHANNEL = '__redis__:invalidate';

/** A message that waits. */
interface Pending {
  readonly target: number;
  /** Undefined: everything. */
  readonly keys: readonly string[] | undefined;
}

/** Who wants to hear of a prefix, and of what. */
interface Broadcast {
  readonly clients: Set<number>;
  /** What changed since the last messages, with the last client that did it, or 0. */
  readonly changed: Map<string, number>;
}

/** The keys that clients of a node track. */
export class TrackingTable {
  /** Ids of the clients that read a key since it last changed. */
  readonly #readers: Map<string, Set<number>> = new Map<string, Set<number>>();
  readonly #broadcasts: Map<string, Broadcast> = new Map<string, Broadcast>();
  /** Messages that wait for the end of the command that changed the keys: they must not come in the middle of its reply. */
  readonly #pending: Pending[] = [];
  readonly #find: (id: number) => Session | undefined;
  /** Ids of the clients with tracking on. */
  readonly #clients: Set<number> = new Set<number>();
  #itemCount = 0;
  /** The node need not call the rest while it is false. Keys outlive the clients that read them, as in the real server. */
  isUsed = false;
  /** Whether `broadcast` has something to tell. */
  hasBroadcasts = false;

  constructor(find: (id: number) => Session | undefined) {
    this.#find = find;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  get keyCount(): number {
    return this.#readers.size;
  }

  get itemCount(): number {
    return this.#itemCount;
  }

  get prefixCount(): number {
    return this.#broadcasts.size;
  }

  start(session: Session, tracking: Tracking): void {
    this.#clients.add(session.id);
    this.isUsed = true;
    session.tracking = tracking;
    for (const prefix of tracking.prefixes) {
      const found = this.#broadcasts.get(prefix);
      if (found !== undefined) found.clients.add(session.id);
      else this.#broadcasts.set(prefix, { clients: new Set([session.id]), changed: new Map() });
    }
  }

  /** Also for a client that is gone. */
  stop(session: Session): void {
    const { tracking } = session;
    if (tracking === undefined) return;
    this.#clients.delete(session.id);
    session.tracking = undefined;
    for (const prefix of tracking.prefixes) {
      const { clients } = this.#broadcasts.get(prefix)!;
      clients.delete(session.id);
      if (clients.size === 0) this.#broadcasts.delete(prefix);
    }
    this.#settle();
  }

  /** A command of the client read a key. For commands marked `readonly`, after they ran. */
  remember(session: Session, key: string): void {
    const { tracking } = session;
    if (tracking === undefined || tracking.mode === 'broadcast') return;
    if (tracking.mode === 'optin' && tracking.caching !== 'yes') return;
    if (tracking.mode === 'optout' && tracking.caching === 'no') return;
    let readers = this.#readers.get(key);
    if (readers === undefined) {
      readers = new Set<number>();
      this.#readers.set(key, readers);
    }
    if (!readers.has(session.id)) this.#itemCount++;
    readers.add(session.id);
  }

  /**
   * A key changed or went. `by` is the client whose command runs, if any: `flush` sends what concerns it. Where it is
   * broadcast, what a script has done is nobody's.
   */
  invalidate(key: string, by: Session | undefined, isByScript: boolean): void {
    const readers = this.#readers.get(key);
    if (readers !== undefined) {
      this.#readers.delete(key);
      this.#itemCount -= readers.size;
      for (const id of readers) this.#tellReader(id, key, by);
      this.#settle();
    }
    for (const [prefix, { changed }] of this.#broadcasts) {
      if (!key.startsWith(prefix)) continue;
      changed.set(key, isByScript ? 0 : (by?.id ?? 0));
      this.hasBroadcasts = true;
    }
  }

  /** A database was flushed: all copies of everything are worthless. Whoever tracks is told, having read or not. */
  invalidateAll(): void {
    this.#readers.clear();
    this.#itemCount = 0;
    // One message for all databases of a FLUSHALL.
    if (this.#pending.at(-1)?.keys === undefined && this.#pending.length > 0) return;
    for (const id of this.#clients) this.#pending.push({ target: id, keys: undefined });
    this.#settle();
  }

  /** Forgets keys above `keysMax` (tracking-table-max-keys; 0 is no limit), telling their readers. */
  shrink(keysMax: number): void {
    if (keysMax === 0) return;
    for (const key of this.#readers.keys()) {
      if (this.#readers.size <= keysMax) return;
      this.invalidate(key, undefined, false);
    }
  }

  /** Tells readers what waits; after the reply of the outermost command, so that a message never splits one. */
  flush(): void {
    for (const { target, keys } of this.#pending) {
      const session = this.#find(target);
      if (session?.tracking !== undefined) this.#send(session, session.tracking, keys);
    }
    this.#pending.length = 0;
    this.#settle();
  }

  /** Tells who listens to prefixes of all that changed since; at the end of a turn, so that its keys go together. */
  broadcast(): void {
    this.hasBroadcasts = false;
    for (const prefix of [...this.#broadcasts.keys()].sort()) {
      const { clients, changed } = this.#broadcasts.get(prefix)!;
      if (changed.size === 0) continue;
      const all = [...changed.keys()].sort();
      for (const id of clients) {
        const session = this.#find(id);
        if (session?.tracking === undefined) continue;
        const { isNoLoop } = session.tracking;
        const keys = isNoLoop ? all.filter((key) => changed.get(key) !== id) : all;
        if (keys.length > 0) this.#send(session, session.tracking, keys);
      }
      changed.clear();
    }
  }

  #settle(): void {
    this.isUsed = this.#clients.size > 0 || this.#readers.size > 0 || this.#pending.length > 0;
  }

  #tellReader(id: number, key: string, by: Session | undefined): void {
    const session = this.#find(id);
    if (session?.tracking === undefined) return;
    const { tracking } = session;
    if (tracking.mode === 'broadcast') return;
    if (tracking.isNoLoop && by?.id === id) return;
    const isConcerned = by !== undefined && (by.id === id || by.id === tracking.redirectId);
    if (isConcerned) this.#pending.push({ target: id, keys: [key] });
    else this.#send(session, tracking, [key]);
  }

  #send(session: Session, tracking: Tracking, keys: readonly string[] | undefined): void {
    const isRedirected = tracking.redirectId !== 0;
    const to = isRedirected ? this.#find(tracking.redirectId) : session;
    if (to !== undefined) {
      // Whatever it listens to, as in the real server.
      const isChannel = isRedirected && to.isSubscriber;
      return to.reply.message(() => writeInvalidation(to.reply, keys, isChannel));
    }
    tracking.isRedirectBroken = true;
    if (session.reply.resp === 3) {
      session.reply.message(() => {
        session.reply.push(2);
        session.reply.bulkText('tracking-redir-broken');
        session.reply.int(tracking.redirectId);
      });
    }
  }
}

/** @param keys undefined: all */
function writeInvalidation(
  reply: ReplyWriter,
  keys: readonly string[] | undefined,
  isChannel: boolean,
): void {
  if (reply.resp === 3) {
    reply.push(2);
    reply.bulkText('invalidate');
  } else if (isChannel) {
    reply.push(3);
    reply.bulkText('message');
    reply.bulkText(INVALIDATE_CHANNEL);
  } else return;
  if (keys === undefined) return reply.nullBulk();
  reply.array(keys.length);
  for (const key of keys) reply.bulkText(key);
}
