/** The connected clients: coming, going, flushing, pauses, monitors and limits. */
import { type MonoMs, addMs } from '../base/index.ts';
import type { ClientService, Session } from '../commands/index.ts';
import type { OutputLimit, Settings } from '../config/index.ts';
import type { Client } from './client.ts';
import { ClientMemory } from './client-memory.ts';
import { ClientTable } from './client-table.ts';

/**
 * Replies that a client may leave unread before it has authenticated: whoever does not read the errors that it is told
 * must not fill the memory with them. Redis bounds it since 7.0's security releases (CVE-2025-21605).
 */
const STRANGER_OUTPUT_BYTES_MAX = 65_536;

export type CloseReason = 'output' | 'idle';

type Pause = { readonly until: MonoMs; readonly what: 'write' | 'all' };

export class Clients implements ClientService {
  readonly #settings: Settings;
  readonly #table: ClientTable = new ClientTable();
  readonly #monitors: Set<Session> = new Set<Session>();
  hasMonitors = false;
  readonly memory: ClientMemory;
  #flushList: Client[] = [];
  /** Whether some reply has grown so long that it should leave now. */
  hasLongOutput = false;
  #lastId = 0;
  /** Asked for by CLIENT PAUSE and by a manual failover; each ends by itself. */
  #pauseByUser: Pause | undefined;
  #pauseByFailover: Pause | undefined;
  #isPausedForEnd = false;
  #isHeldForScript = false;
  isPaused = false;
  pausesAll = false;
  /** No client's requests run, as while MIGRATE waits for its target. */
  isStalled = false;
  readonly #onPauseEnd: () => void;
  readonly #beforeFlush: () => void;

  readonly #unblock: (client: Client, reason: 'timeout' | 'error') => boolean;
  readonly #evict: (client: Client) => void;
  readonly #closeStranger: (client: Client) => void;

  constructor(init: {
    readonly settings: Settings;
    readonly onPauseEnd: () => void;
    /** Replies are about to leave: what they promise must be kept first. */
    readonly beforeFlush: () => void;
    /** Ends a client's wait; false when it does not wait. */
    readonly unblock: (client: Client, reason: 'timeout' | 'error') => boolean;
    /** Closes a client because of `maxmemory-clients`. */
    readonly evict: (client: Client) => void;
    /** Closes a client that has not said who it is and does not read what it is told. */
    readonly closeStranger: (client: Client) => void;
  }) {
    this.#settings = init.settings;
    this.#onPauseEnd = init.onPauseEnd;
    this.#beforeFlush = init.beforeFlush;
    this.#unblock = init.unblock;
    this.#evict = init.evict;
    this.#closeStranger = init.closeStranger;
    this.memory = new ClientMemory(init.settings, () => this.#table.all());
  }

  nextId(): number {
    return ++this.#lastId;
  }

  add(client: Client): void {
    this.#table.add(client);
  }

  remove(client: Client): void {
    this.#table.remove(client);
    this.memory.forget(client);
    this.#forgetMonitor(client);
  }

  all(): IterableIterator<Client> {
    return this.#table.all();
  }

  find(id: number): Client | undefined {
    return this.#table.find(id);
  }

  /** As `find`, without those who only wait for their last reply. */
  findStaying(id: number): Client | undefined {
    const client = this.#table.find(id);
    return client?.isClosing === true ? undefined : client;
  }

  get count(): number {
    return this.#table.count;
  }

  /** Whether `maxclients` lets nobody else in. */
  get isFull(): boolean {
    return this.count >= this.#settings.maxclients;
  }

  get monitors(): Iterable<Session> {
    return this.#monitors;
  }

  addMonitor(session: Session): void {
    session.isMonitor = true;
    this.#monitors.add(session);
    this.hasMonitors = true;
  }

  removeMonitor(session: Session): void {
    session.isMonitor = false;
    this.#forgetMonitor(session);
  }

  /** Whether replies wait for `flush`. */
  get hasOutput(): boolean {
    return this.#flushList.length > 0;
  }

  /** Clients whose replies wait for `flush`. */
  get waitingCount(): number {
    return this.#flushList.length;
  }

  wantsFlush(client: Client): void {
    if (client.isInFlushList) return;
    client.isInFlushList = true;
    this.#flushList.push(client);
  }

  /**
   * Hands all pending replies to the wires. Replicas come first: then a write that was answered is
   * on its way to them even if the process dies the next moment.
   */
  flush(): void {
    this.hasLongOutput = false;
    this.#beforeFlush();
    while (this.#flushList.length > 0) {
      const list = this.#flushList;
      this.#flushList = [];
      for (const client of list) if (client.role === 'replica') client.flush();
      for (const client of list) {
        client.isInFlushList = false;
        if (client.role === 'replica') continue;
        client.flush();
        if (!client.isAuthenticated && client.outputBytes > STRANGER_OUTPUT_BYTES_MAX) {
          this.#closeStranger(client);
        }
      }
      if (this.memory.isLimited) this.#recount(list);
    }
  }

  #recount(clients: readonly Client[]): void {
    for (const client of clients) this.memory.recount(client);
    for (const client of this.memory.tooLarge()) this.#evict(client);
  }

  /** What the client sent takes much, or what it was sent has left. */
  noteBuffers(client: Client): void {
    if (this.memory.isLimited) this.#recount([client]);
  }

  pause(until: MonoMs, what: 'write' | 'all'): void {
    const before = this.#pauseByUser;
    // A pause of all is not weakened, and the later end counts.
    const strict = before?.what === 'all' || what === 'all' ? 'all' : 'write';
    this.#pauseByUser = {
      until: before !== undefined && before.until > until ? before.until : until,
      what: strict,
    };
    this.#combine();
  }

  unpause(): void {
    this.#pauseByUser = undefined;
    this.#combine();
  }

  pauseForFailover(until: MonoMs): void {
    this.#pauseByFailover = { until, what: 'write' };
    this.#combine();
  }

  unpauseForFailover(): void {
    this.#pauseByFailover = undefined;
    this.#combine();
  }

  /** Writes wait while the node is about to end. */
  pauseForEnd(): void {
    this.#isPausedForEnd = true;
    this.#combine();
  }

  unpauseForEnd(): void {
    this.#isPausedForEnd = false;
    this.#combine();
  }

  /** A script goes on in later turns: nothing else changes data, and no request runs until `tellBusy`. */
  holdForScript(): void {
    this.#isHeldForScript = true;
    this.isStalled = true;
    this.#combine();
  }

  /** Requests run again, and most are refused. */
  tellBusy(): void {
    this.isStalled = false;
    this.#onPauseEnd();
  }

  releaseAfterScript(): void {
    this.#isHeldForScript = false;
    this.isStalled = false;
    this.#combine();
    this.#onPauseEnd();
  }

  /** Does something for the script itself, which nothing holds. */
  actForScript(act: () => void): void {
    const { isPaused } = this;
    this.isPaused = false;
    act();
    if (this.#isHeldForScript) this.isPaused = isPaused;
  }

  unblock(session: Session, reason: 'timeout' | 'error'): boolean {
    const client = this.#table.find(session.id);
    return client !== undefined && this.#unblock(client, reason);
  }

  /** When the next pause ends by itself. */
  get pauseEnds(): MonoMs | undefined {
    const user = this.#pauseByUser?.until;
    const failover = this.#pauseByFailover?.until;
    if (user === undefined || failover === undefined) return user ?? failover;
    return user < failover ? user : failover;
  }

  endPauses(now: MonoMs): void {
    if (!this.isPaused) return;
    if (this.#pauseByUser !== undefined && now >= this.#pauseByUser.until) {
      this.#pauseByUser = undefined;
    }
    if (this.#pauseByFailover !== undefined && now >= this.#pauseByFailover.until) {
      this.#pauseByFailover = undefined;
    }
    this.#combine();
  }

  /** Closes a client whose pending output is above its hard limit, before any of it is sent. */
  enforceHardLimit(client: Client): boolean {
    const hardBytes = this.#limitOf(client)?.hardBytes ?? 0;
    if (hardBytes === 0 || client.outputBytes <= hardBytes) return false;
    client.reply.clear();
    client.close();
    return true;
  }

  /** Closes clients whose output has been too large for too long, or that idle longer than allowed; then the largest. */
  enforceLimits(now: MonoMs, onClose: (client: Client, why: CloseReason) => void): void {
    const idleMs = this.#settings.timeout * 1000;
    for (const client of [...this.#table.all()]) {
      if (this.#isOverOutputLimit(client, now)) onClose(client, 'output');
      else if (idleMs > 0 && isIdle(client, addMs(now, -idleMs))) onClose(client, 'idle');
    }
    this.#recount([]);
  }

  #isOverOutputLimit(client: Client, now: MonoMs): boolean {
    const limit = this.#limitOf(client);
    const bytes = client.outputBytes;
    if (limit === undefined) return false;
    if (limit.hardBytes > 0 && bytes > limit.hardBytes) return true;
    if (limit.softBytes === 0 || bytes <= limit.softBytes) {
      client.outputSoftSince = undefined;
      return false;
    }
    client.outputSoftSince ??= now;
    return now - client.outputSoftSince > limit.softSeconds * 1000;
  }

  /** Replicas are bounded by replication itself. */
  #limitOf(client: Client): OutputLimit | undefined {
    const limits = this.#settings['client-output-buffer-limit'];
    if (client.role === 'replica') return undefined;
    return client.isSubscriber ? limits.pubsub : limits.normal;
  }

  #forgetMonitor(session: Session): void {
    this.#monitors.delete(session);
    this.hasMonitors = this.#monitors.size > 0;
  }

  #combine(): void {
    const wasPaused = this.isPaused;
    const wasAll = this.pausesAll;
    this.isPaused =
      this.#pauseByUser !== undefined ||
      this.#pauseByFailover !== undefined ||
      this.#isPausedForEnd ||
      this.#isHeldForScript;
    this.pausesAll = this.#pauseByUser?.what === 'all';
    if ((wasPaused && !this.isPaused) || (wasAll && !this.pausesAll)) this.#onPauseEnd();
  }
}

function isIdle(client: Client, since: MonoMs): boolean {
  return (
    client.role === 'normal' &&
    client.blocked === undefined &&
    !client.isSubscriber &&
    !client.isMonitor &&
    client.lastInteractionAt < since
  );
}
