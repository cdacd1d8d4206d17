/**
 * The side that follows a master: connects, introduces itself, gets a snapshot or the missing part of the stream, then the
 * stream, and keeps trying. The data stays as it is until a snapshot has arrived whole.
 */
import {
  type MonoMs,
  type Replid,
  type Rng,
  addMs,
  assertNever,
  invariant,
  randomHex,
  replid as asReplid,
} from '../base/index.ts';
import { ForeignWait } from './foreign-wait.ts';
import type { ReplicationHistory } from './history.ts';
import type { LinkOptions } from './link-handshake.ts';
import { type LinkEffect, type LinkInput, linkLog } from './link-types.ts';
import type { PayloadReader } from './payload.ts';
import { type AttemptPhase, SyncAttempt } from './sync-attempt.ts';
import { NEWLINE, encodeCommand } from './wire.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'waiting'; readonly until: MonoMs }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'syncing'; readonly attempt: SyncAttempt }
  | Connected;

interface Connected {
  readonly kind: 'connected';
  readonly since: MonoMs;
  /** Our offset at its beginning. */
  readonly from: number;
}

/** What the link is doing; see `AttemptPhase` for the steps of a synchronization. */
export type LinkPhase = 'none' | 'waiting' | 'connecting' | AttemptPhase | 'connected';

/**
 * Waits before one try after another, in milliseconds.
 * Divergence: Redis tries each second; after a failover or a stop the first tries succeed sooner.
 */
const RETRY_DELAYS_MS: readonly number[] = [0, 50, 100, 200, 400, 800, 1000];
/** A link that held this long, or brought anything new, starts the waits afresh. */
const STEADY_MS = 1000;
const ACK_PERIOD_MS = 1000;
/** A tick so much overdue means that the process stood still. */
const LATE_MS = 2000;
type Follow = Extract<LinkInput, { kind: 'follow' }>;
type LoadFailure = Extract<LinkInput, { kind: 'snapshotFailed' }>;

export class ReplicaLink {
  readonly #history: ReplicationHistory;
  readonly #rng: Rng;
  #options: LinkOptions;
  #target: Target | undefined;
  #isHandover = false;
  #state: State = { kind: 'none' };
  #tries = 0;
  readonly #foreignWait: ForeignWait = new ForeignWait();
  /** What comes next in the master's stream is of no use here. */
  #needsCopy = false;
  /** Whether the data is a point of `history`, so that a master may be asked to continue it. */
  #hasPosition: boolean;
  #lastIoAt: MonoMs | undefined;
  #nextTickAt: MonoMs | undefined;
  #receivedOffset: number;
  #downSince: MonoMs | undefined;

  /** `hasPosition`: the data was loaded with a replication id and offset, which are those of `history`. */
  constructor(init: {
    readonly history: ReplicationHistory;
    readonly rng: Rng;
    readonly options: LinkOptions;
    readonly hasPosition?: boolean;
  }) {
    this.#history = init.history;
    this.#rng = init.rng;
    this.#options = init.options;
    this.#hasPosition = init.hasPosition ?? false;
    this.#receivedOffset = init.history.masterReplOffset;
  }

  configure(options: LinkOptions): void {
    this.#options = options;
  }

  get phase(): LinkPhase {
    const state = this.#state;
    return state.kind === 'syncing' ? state.attempt.phase : state.kind;
  }

  get isUp(): boolean {
    return this.#state.kind === 'connected';
  }

  get target(): Target | undefined {
    return this.#target;
  }

  /** For the source: whether this node can serve replicas of its own now. */
  get upstream(): 'none' | 'up' | 'down' {
    if (!this.#target) return 'none';
    return this.isUp ? 'up' : 'down';
  }

  /** When the master was last heard, in any phase. */
  get lastIoAt(): MonoMs | undefined {
    return this.#lastIoAt;
  }

  /** When the link went down; `undefined` while it is up and while it never was. */
  get downSince(): MonoMs | undefined {
    return this.#downSince;
  }

  /** Offset up to which the stream was received; what was applied is `history.masterReplOffset`. */
  get receivedOffset(): number {
    return this.#receivedOffset;
  }

  /** Whether a master could be asked to continue from our position. */
  get hasPosition(): boolean {
    return this.#hasPosition;
  }

  /** The transfer under way, if any. */
  get transfer(): PayloadReader | undefined {
    return this.#state.kind === 'syncing' ? this.#state.attempt.payload : undefined;
  }

  /** Whether the snapshot on its way is of the history that our data is of. */
  get isTransferOfOurs(): boolean {
    const state = this.#state;
    return state.kind === 'syncing' && state.attempt.replid === this.#history.replid;
  }

  /**
   * How old the data may be: time since a master was last heard, or since the link broke. Infinity when there was none
   * since this node became a replica. A cluster's replica with too old data does not stand for election.
   */
  dataAgeMs(now: MonoMs): number {
    if (this.isUp && this.#lastIoAt !== undefined) return Math.max(0, now - this.#lastIoAt);
    return this.#downSince === undefined ? Infinity : Math.max(0, now - this.#downSince);
  }

  step(now: MonoMs, input: LinkInput): readonly LinkEffect[] {
    const effects: LinkEffect[] = [];
    this.#take(now, input, effects);
    return effects;
  }

  nextWake(): MonoMs | undefined {
    return this.#state.kind === 'waiting' ? this.#state.until : this.#nextTickAt;
  }

  #take(now: MonoMs, input: LinkInput, effects: LinkEffect[]): void {
    switch (input.kind) {
      case 'follow':
        return this.#follow(now, input, effects);
      case 'stop':
        return this.#stop(effects);
      case 'connected':
        return this.#introduce(now, effects);
      case 'connectFailed':
        if (this.#state.kind !== 'connecting') return;
        effects.push(linkLog({ name: 'connectFailed', reason: input.reason }));
        return this.#retry(now, effects);
      case 'closed':
        return this.#closed(now, effects);
      case 'snapshotLoaded':
        return this.#loaded(now, input.streamDb, effects);
      case 'snapshotFailed':
        return this.#loadFailed(now, input, effects);
      case 'getAck':
        if (this.isUp) this.#acknowledge(effects);
        return;
      case 'protocolError':
        return this.#distrust(now, effects);
      case 'commandRefused':
        return this.#refuse(now, effects);
      case 'retryNow':
        if (this.#state.kind === 'waiting') this.#connect(now, effects);
        return;
      case 'tick':
        return this.#tick(now, effects);
      default:
        return assertNever(input);
    }
  }

  #follow(now: MonoMs, target: Follow, effects: LinkEffect[]): void {
    const wasMaster = this.#target === undefined;
    // Our data is as fresh as the link that is given up for this one.
    if (wasMaster) this.#downSince = undefined;
    else if (this.isUp) this.#downSince = now;
    this.#leave(effects);
    if (wasMaster && !this.#hasPosition && !target.isAtStart) {
      // All our data is our own history, so the new master may know where to go on.
      this.#hasPosition = true;
      this.#history.rejoin();
      this.#history.createBacklog();
      effects.push(linkLog({ name: 'ownPositionCached' }));
    }
    this.#target = { host: target.host, port: target.port };
    this.#isHandover = target.isHandover ?? false;
    this.#history.isFollowing = true;
    this.#receivedOffset = this.#history.masterReplOffset;
    this.#tries = 0;
    this.#foreignWait.reset();
    this.#needsCopy = false;
    this.#nextTickAt = addMs(now, ACK_PERIOD_MS);
    this.#connect(now, effects);
  }

  #stop(effects: LinkEffect[]): void {
    if (!this.#target) return;
    this.#leave(effects);
    this.#target = undefined;
    this.#nextTickAt = undefined;
    this.#history.isFollowing = false;
    this.#downSince = undefined;
    if (this.#hasPosition) effects.push(linkLog({ name: 'cacheDiscarded' }));
    // From now on it writes its own history; following again will start from that.
    this.#hasPosition = false;
  }

  /** Ends whatever is under way. */
  #leave(effects: LinkEffect[]): void {
    const state = this.#state;
    this.#dropSnapshot(effects);
    this.#state = { kind: 'none' };
    if (state.kind === 'none' || state.kind === 'waiting') return;
    effects.push({ kind: 'close' });
    if (state.kind !== 'connected') return;
    effects.push(linkLog({ name: 'masterLost' }), linkLog({ name: 'masterCached' }));
    effects.push({ kind: 'resetStream' }, { kind: 'linkDown' });
  }

  #connect(now: MonoMs, effects: LinkEffect[], isAgain = false): void {
    const target = this.#target;
    invariant(target !== undefined, 'a link that connects has a master');
    this.#state = { kind: 'connecting' };
    this.#lastIoAt = now;
    const master = `${target.host}:${target.port}`;
    effects.push(
      linkLog({ name: 'connecting', master, isAgain }),
      linkLog({ name: 'syncStarted' }),
    );
    effects.push({ kind: 'connect', host: target.host, port: target.port });
  }

  /** Gives this try up; the next comes after a wait. The connection is closed already. */
  #retry(now: MonoMs, effects: LinkEffect[]): void {
    if (!this.#target) return;
    const delayMs = RETRY_DELAYS_MS[Math.min(this.#tries, RETRY_DELAYS_MS.length - 1)]!;
    this.#tries++;
    if (delayMs === 0) {
      this.#connect(now, effects, true);
      return;
    }
    this.#state = { kind: 'waiting', until: addMs(now, delayMs) };
  }

  /** Breaks the conversation off and tries again later. */
  #abandon(now: MonoMs, effects: LinkEffect[]): void {
    this.#dropSnapshot(effects);
    effects.push({ kind: 'close' });
    this.#retry(now, effects);
  }

  #dropSnapshot(effects: LinkEffect[]): void {
    if (this.#state.kind === 'syncing' && this.#state.attempt.hasSnapshot) {
      effects.push({ kind: 'abortSnapshot' });
    }
  }

  #closed(now: MonoMs, effects: LinkEffect[]): void {
    const state = this.#state;
    if (state.kind === 'none' || state.kind === 'waiting') return;
    if (state.kind === 'connected') {
      effects.push(linkLog({ name: 'masterLost' }), linkLog({ name: 'masterCached' }));
      this.#goDown(now, state, effects);
    } else {
      const reason = 'connection lost';
      const name = this.#isTransfer() ? 'transferLost' : 'connectFailed';
      effects.push(linkLog({ name, reason }));
      this.#dropSnapshot(effects);
    }
    this.#retry(now, effects);
  }

  #isTransfer(): boolean {
    const { phase } = this;
    return phase === 'header' || phase === 'transfer' || phase === 'loading';
  }

  #goDown(now: MonoMs, { since, from }: Connected, effects: LinkEffect[]): void {
    this.#downSince = now;
    // Our bytes beyond the last whole command are asked for again.
    this.#receivedOffset = this.#history.masterReplOffset;
    if (now - since >= STEADY_MS || this.#history.masterReplOffset > from) this.#tries = 0;
    effects.push({ kind: 'resetStream' }, { kind: 'linkDown' });
  }

  #distrust(now: MonoMs, effects: LinkEffect[]): void {
    if (this.#state.kind !== 'connected') return;
    this.#hasPosition = false;
    effects.push(
      { kind: 'close' },
      linkLog({ name: 'masterLost' }),
      linkLog({ name: 'cacheDiscarded' }),
    );
    this.#goDown(now, this.#state, effects);
    this.#retry(now, effects);
  }

  /**
   * Divergence: Redis goes on with the next command, and its data differs from the master's from then on. Ours stays a
   * point of the master's history, and the link is seen to be down until a full copy has what the command did.
   */
  #refuse(now: MonoMs, effects: LinkEffect[]): void {
    if (this.#state.kind !== 'connected') return;
    this.#needsCopy = true;
    const offset = this.#history.masterReplOffset + 1;
    effects.push({ kind: 'close' }, linkLog({ name: 'streamStopped', offset }));
    const heldMs = now - this.#state.since;
    this.#goDown(now, this.#state, effects);
    this.#waitForeign(now, heldMs, effects);
  }

  #waitForeign(now: MonoMs, heldMs: number, effects: LinkEffect[]): void {
    const seconds = this.#foreignWait.next(heldMs);
    effects.push(linkLog({ name: 'foreignWait', seconds }));
    this.#state = { kind: 'waiting', until: addMs(now, seconds * 1000) };
  }

  #introduce(now: MonoMs, effects: LinkEffect[]): void {
    if (this.#state.kind !== 'connecting') return;
    this.#lastIoAt = now;
    const { replid, masterReplOffset } = this.#history;
    const offset = masterReplOffset + 1;
    const mayContinue = this.#hasPosition && !this.#needsCopy;
    const own = mayContinue ? { replid, offset, isHandover: this.#isHandover } : undefined;
    this.#state = { kind: 'syncing', attempt: new SyncAttempt(this.#options, own, effects) };
  }

  /**
   * Takes bytes of the connection, cut anywhere. Effects of kind `snapshotBytes` and `stream` may be views of them.
   */
  receive(now: MonoMs, buf: Buffer, at: number, size: number): readonly LinkEffect[] {
    const effects: LinkEffect[] = [];
    const state = this.#state;
    if (size > 0) this.#lastIoAt = now;
    let from = at;
    if (state.kind === 'syncing') {
      from += state.attempt.receive(buf, at, at + size, effects);
      const { outcome } = state.attempt;
      if (outcome?.kind === 'failed') this.#abandon(now, effects);
      else if (outcome) this.#continue(now, outcome.replid, effects);
    }
    if (this.isUp && from < at + size) this.#stream(buf, from, at + size - from, effects);
    return effects;
  }

  #stream(buf: Buffer, at: number, size: number, effects: LinkEffect[]): void {
    this.#receivedOffset += size;
    effects.push({ kind: 'stream', buf, at, size });
  }

  #continue(now: MonoMs, replid: Replid | undefined, effects: LinkEffect[]): void {
    if (replid !== undefined && replid !== this.#history.replid) {
      this.#history.shift(replid);
      effects.push(linkLog({ name: 'masterReplidChanged', replid }));
      effects.push({ kind: 'disconnectReplicas' });
    }
    this.#history.createBacklog();
    effects.push(linkLog({ name: 'partialResyncDone' }));
    this.#goUp(now, effects);
  }

  #loaded(now: MonoMs, streamDb: number, effects: LinkEffect[]): void {
    const state = this.#state;
    if (state.kind !== 'syncing' || state.attempt.phase !== 'loading') return;
    const { replid, offset } = state.attempt.position;
    effects.push({ kind: 'disconnectReplicas' });
    this.#history.adopt(replid ?? asReplid(randomHex(this.#rng, 40)), offset);
    this.#history.streamDb = streamDb;
    this.#hasPosition = replid !== undefined;
    this.#receivedOffset = offset;
    effects.push(linkLog({ name: 'syncFinished' }));
    this.#goUp(now, effects);
    for (const piece of state.attempt.held) this.#stream(piece, 0, piece.length, effects);
  }

  #loadFailed(now: MonoMs, { reason, isForeign }: LoadFailure, effects: LinkEffect[]): void {
    if (this.#state.kind !== 'syncing' || !this.#state.attempt.hasSnapshot) return;
    effects.push(linkLog({ name: 'loadFailed', reason }));
    if (isForeign) {
      this.#dropSnapshot(effects);
      effects.push({ kind: 'close' });
      return this.#waitForeign(now, 0, effects);
    }
    // The same snapshot would fail again: come back at the slowest pace.
    this.#tries = RETRY_DELAYS_MS.length;
    this.#abandon(now, effects);
  }

  #goUp(now: MonoMs, effects: LinkEffect[]): void {
    this.#isHandover = false;
    this.#needsCopy = false;
    this.#state = { kind: 'connected', since: now, from: this.#history.masterReplOffset };
    this.#downSince = undefined;
    this.#lastIoAt = now;
    effects.push({ kind: 'linkUp' });
    // At once: a master that sent a snapshot with a mark waits for it.
    this.#acknowledge(effects);
  }

  #acknowledge(effects: LinkEffect[]): void {
    const offset = String(this.#history.masterReplOffset);
    effects.push({ kind: 'send', bytes: encodeCommand('REPLCONF', 'ACK', offset) });
  }

  #tick(now: MonoMs, effects: LinkEffect[]): void {
    const state = this.#state;
    if (state.kind === 'waiting') {
      this.#nextTickAt = addMs(now, ACK_PERIOD_MS);
      if (now >= state.until) this.#connect(now, effects);
      return;
    }
    if (this.#nextTickAt === undefined || now < this.#nextTickAt) return;
    const isLate = now - this.#nextTickAt > LATE_MS;
    this.#nextTickAt = addMs(now, ACK_PERIOD_MS);
    if (state.kind === 'connected') this.#acknowledge(effects);
    // A master that waits for our loading wants to see that we live.
    if (this.phase === 'transfer') effects.push({ kind: 'send', bytes: Buffer.from(NEWLINE) });
    // After a pause of our own, what the master sent meanwhile is still to be read.
    if (!isLate) this.#checkTimeout(now, effects);
  }

  #checkTimeout(now: MonoMs, effects: LinkEffect[]): void {
    const state = this.#state;
    if (state.kind === 'none' || this.phase === 'loading' || this.#lastIoAt === undefined) return;
    if (now - this.#lastIoAt <= this.#options.timeoutSeconds * 1000) return;
    if (state.kind === 'connected') {
      effects.push(linkLog({ name: 'linkTimedOut', phase: 'connected' }), { kind: 'close' });
      effects.push(linkLog({ name: 'masterLost' }), linkLog({ name: 'masterCached' }));
      this.#goDown(now, state, effects);
      this.#retry(now, effects);
      return;
    }
    const phase = this.#isTransfer() ? 'transfer' : 'connecting';
    effects.push(linkLog({ name: 'linkTimedOut', phase }));
    this.#abandon(now, effects);
  }
}
