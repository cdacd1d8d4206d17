/**
 * The side that serves replicas, of a master and of a replica in a chain alike: it answers PSYNC and REPLCONF, has
 * snapshots made, and passes the stream on. Decisions come out as effects; bytes for replicas go straight to the sink,
 * because the stream is the hot path of every write.
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
  earlier,
} from '../base/index.ts';
import { NO_DB, type ReplicationHistory } from './history.ts';
import { type PsyncPosition, decidePsync } from './psync-decision.ts';
import { ReplicaSet } from './replica-set.ts';
import { type ReplconfResult, applyReplconf } from './replconf.ts';
import { type ClientNumber, type ReplicaSession, isReplica, replicaName } from './session.ts';
import { SnapshotDesk } from './snapshot-desk.ts';
import type { JobNumber } from './snapshot-job.ts';
import {
  type CloseReason,
  NO_EFFECTS,
  type Peer,
  type ReplicaSink,
  type SourceEffect,
  type SourceInput,
  type SourceOptions,
  type SyncRefusal,
  type Upstream,
  logEffect,
} from './source-types.ts';
import { GETACK_COMMAND, NEWLINE, PING_COMMAND, encodeCommand } from './wire.ts';

const CRON_PERIOD_MS = 1000;
/** A tick so much overdue means that the process stood still. */
const LATE_MS = 2000;

export class ReplicationSource {
  readonly #history: ReplicationHistory;
  readonly #sink: ReplicaSink;
  readonly #rng: Rng;
  #options: SourceOptions;
  readonly #replicas: ReplicaSet = new ReplicaSet();
  readonly #desk: SnapshotDesk;
  #nextCronAt: MonoMs | undefined;
  /** When the last PING was due; the period may change at any time. */
  #pingedAt: MonoMs | undefined;
  /** Since when there is no replica. */
  #aloneSince: MonoMs | undefined;
  /** While true no PING is put into the stream: a manual failover waits for its end. */
  arePingsHeld = false;
  /** While true nobody gets our data: it is not what others may have. */
  areSyncsRefused = false;
  /** `sync_full`, `sync_partial_ok` and `sync_partial_err` of INFO stats. */
  readonly counters: { fullSyncs: number; partialAccepted: number; partialRefused: number } = {
    fullSyncs: 0,
    partialAccepted: 0,
    partialRefused: 0,
  };

  constructor(init: {
    readonly history: ReplicationHistory;
    readonly sink: ReplicaSink;
    readonly rng: Rng;
    readonly options: SourceOptions;
  }) {
    this.#history = init.history;
    this.#sink = init.sink;
    this.#rng = init.rng;
    this.#options = init.options;
    this.#desk = new SnapshotDesk({ ...init, replicas: this.#replicas });
  }

  /** The options may have changed, and the size of the backlog. */
  configure(options: SourceOptions): void {
    this.#options = options;
    this.#trim();
  }

  /** All that asked for data, in the order they came. */
  replicas(): readonly ReplicaSession[] {
    return this.#replicas.replicas();
  }

  /** As logs name it. */
  nameOf(session: ReplicaSession): string {
    return replicaName(session);
  }

  get replicaCount(): number {
    return this.#replicas.replicaCount;
  }

  isReplicaClient(client: ClientNumber): boolean {
    const session = this.#replicas.find(client);
    return session !== undefined && isReplica(session);
  }

  /** Online replicas whose last acknowledgement is at most this old; `min-replicas-to-write` compares it. */
  goodReplicaCount(now: MonoMs, maxLagSeconds: number): number {
    return this.#replicas.goodCount(now, maxLagSeconds);
  }

  /** Online replicas that have applied the stream up to `offset`, for WAIT. */
  acknowledgedCount(offset: number): number {
    return this.#replicas.acknowledgedCount(offset);
  }

  /** Asks all replicas for an acknowledgement, through the stream itself. */
  requestAcks(): void {
    if (this.#replicas.online.length === 0) return;
    this.feed(NO_DB, GETACK_COMMAND, 0, GETACK_COMMAND.length);
  }

  /**
   * A master's own write: bytes of a command to run in database `db`, or NO_DB when the database does not matter.
   * Free while no replica was ever there.
   */
  feed(db: number, buf: Buffer, at: number, size: number): void {
    const history = this.#history;
    if (!history.backlog) return;
    if (db !== NO_DB && db !== history.streamDb) {
      history.streamDb = db;
      const select = encodeCommand('SELECT', String(db));
      this.relay(select, 0, select.length);
    }
    this.relay(buf, at, size);
  }

  /** Bytes of the stream as they are: what a replica applied of its master's stream, for its own replicas. */
  relay(buf: Buffer, at: number, size: number): void {
    const history = this.#history;
    const from = history.masterReplOffset + 1;
    history.append(buf, at, size);
    // Once a turn: together the bytes of many commands cost little more than those of one.
    for (const session of this.#replicas.online) {
      if (session.nextOffset === from) this.#sink.wantsStream(session.client);
    }
    this.#trim();
  }

  /** The sink has room: gives an online replica what it has not had, as far as that goes. */
  sendStream(client: ClientNumber): void {
    const session = this.#replicas.find(client);
    if (session?.state !== 'online') return;
    this.#sendStream(session);
    this.#trim();
  }

  #sendStream(session: ReplicaSession): void {
    const { backlog } = this.#history;
    invariant(backlog !== undefined, 'there is a backlog while there are replicas');
    while (this.unsentBytes(session) > 0 && this.#sink.hasRoom(session.client)) {
      const piece = backlog.pieceAt(session.nextOffset!);
      this.#sink.send(session.client, piece, 0, piece.length);
      session.nextOffset! += piece.length;
    }
  }

  /** Bytes of the stream that a replica has still to be given, as long as it is to get the stream. */
  unsentBytes(session: Partial<Pick<ReplicaSession, 'nextOffset'>>): number {
    return Math.max(0, this.#history.masterReplOffset + 1 - (session.nextOffset ?? Infinity));
  }

  /** That of the replica which has most of it to get. */
  get unsentBytesMost(): number {
    return this.unsentBytes({ nextOffset: this.#replicas.neededFrom() });
  }

  /** Online replicas that have not had all of the stream. */
  get behind(): readonly ReplicaSession[] {
    return this.#replicas.online.filter((session) => this.unsentBytes(session) > 0);
  }

  find(client: ClientNumber): ReplicaSession | undefined {
    return this.#replicas.find(client);
  }

  #trim(): void {
    const { backlog } = this.#history;
    if (backlog?.isOverfull) backlog.trim(this.#replicas.neededFrom());
  }

  /** REPLCONF. For `ok` and `error` the caller writes the answer; `getAck` is for our own link. */
  replconf(
    now: MonoMs,
    peer: Peer,
    args: readonly Buffer[],
  ): { readonly result: ReplconfResult; readonly effects: readonly SourceEffect[] } {
    const session = this.#replicas.findOrCreate(peer, now);
    const result = applyReplconf(session, args);
    if (result.kind === 'ack') {
      return { result, effects: this.#acknowledge(now, session, result.offset) };
    }
    // Whoever introduces itself is about to ask for data, and a snapshot may wait for it.
    if (result.kind === 'ok') this.#replicas.add(session);
    return { result, effects: NO_EFFECTS };
  }

  #acknowledge(now: MonoMs, session: ReplicaSession, offset: number): readonly SourceEffect[] {
    if (!isReplica(session)) return NO_EFFECTS;
    session.ackOffset = Math.max(session.ackOffset, offset);
    session.ackTime = now;
    const effects: SourceEffect[] = [];
    if (session.state === 'loading') {
      this.#desk.putOnline(now, session, effects);
      this.sendStream(session.client);
    } else effects.push({ kind: 'acknowledged', client: session.client });
    return effects;
  }

  /** A sign of life without offset: an empty line from a replica that loads, or its socket took bytes. */
  heard(now: MonoMs, client: ClientNumber): void {
    const session = this.#replicas.find(client);
    if (session) session.ackTime = now;
  }

  /** SYNC and PSYNC that must be answered otherwise than by data; `undefined` lets `step` take it. */
  refusalOfSync(client: ClientNumber, upstream: Upstream): SyncRefusal | undefined {
    if (this.isReplicaClient(client)) return 'alreadyReplica';
    return upstream === 'down' || this.areSyncsRefused ? 'noMasterLink' : undefined;
  }

  step(now: MonoMs, input: SourceInput): readonly SourceEffect[] {
    const effects: SourceEffect[] = [];
    switch (input.kind) {
      case 'sync':
        this.#sync(now, input, effects);
        break;
      case 'closed':
        this.#closed(now, input.client, effects);
        break;
      case 'snapshotEnded':
        this.#snapshotEnded(now, input.job, input.isComplete, effects);
        break;
      case 'tick':
        this.#tick(now, effects);
        break;
      default:
        assertNever(input);
    }
    this.#desk.startIfGathered(now, this.#options, effects);
    return effects;
  }

  /** A client asked for data from an offset that is no number. */
  refuseOffset(now: MonoMs, peer: Peer): readonly SourceEffect[] {
    const replica = replicaName(this.#replicas.findOrCreate(peer, now));
    return [logEffect({ name: 'offsetMalformed', replica })];
  }

  nextWake(): MonoMs | undefined {
    return earlier(this.#desk.startBy, this.#nextCronAt);
  }

  #sync(now: MonoMs, input: Extract<SourceInput, { kind: 'sync' }>, effects: SourceEffect[]): void {
    const { peer, asked, upstream } = input;
    invariant(
      this.refusalOfSync(peer.client, upstream) === undefined,
      'refused syncs do not reach the machine',
    );
    const session = this.#replicas.findOrCreate(peer, now);
    this.#replicas.add(session);
    this.#aloneSince = undefined;
    this.#nextCronAt ??= addMs(now, CRON_PERIOD_MS);
    this.#pingedAt ??= now;
    session.ackTime = now;
    effects.push(logEffect({ name: 'syncAsked', replica: replicaName(session) }));
    if (asked && this.#tryPartial(now, session, asked, effects)) return;
    session.isLegacy = asked === undefined;
    this.counters.fullSyncs++;
    session.state = 'waitSnapshot';
    this.#ensureBacklog(upstream, effects);
    this.#history.isShared = true;
    if (this.#desk.isBusy) effects.push(logEffect({ name: 'snapshotQueued' }));
  }

  /** Whether the replica may go on from where it is; if so, it is online now. */
  #tryPartial(
    now: MonoMs,
    session: ReplicaSession,
    asked: PsyncPosition,
    effects: SourceEffect[],
  ): boolean {
    const { replid, replid2, secondReplOffset } = this.#history;
    const decision = decidePsync(this.#history, asked);
    if (decision.kind === 'continue') {
      this.counters.partialAccepted++;
      this.#history.isShared = true;
      this.#continue(now, session, decision.offset, effects);
      return true;
    }
    const { reason } = decision;
    if (reason !== 'requested') this.counters.partialRefused++;
    const own = { replid, replid2, secondReplOffset };
    const replica = replicaName(session);
    effects.push(logEffect({ name: 'fullResyncDecided', replica, reason, asked, own }));
    return false;
  }

  #continue(now: MonoMs, session: ReplicaSession, offset: number, effects: SourceEffect[]): void {
    const { masterReplOffset, replid } = this.#history;
    const answer = session.needs.psync2 ? `+CONTINUE ${replid}\r\n` : '+CONTINUE\r\n';
    this.#sink.send(session.client, Buffer.from(answer), 0, answer.length);
    session.nextOffset = offset;
    this.#replicas.putOnline(session, now);
    this.#sendStream(session);
    const sizeBytes = masterReplOffset - offset + 1;
    const replica = replicaName(session);
    effects.push(logEffect({ name: 'partialResyncAccepted', replica, sizeBytes, offset }));
    effects.push({ kind: 'acknowledged', client: session.client });
  }

  /** The first replica: from here on the stream is recorded. What was written before is in no history but this. */
  #ensureBacklog(upstream: Upstream, effects: SourceEffect[]): void {
    if (this.#history.backlog) return;
    // A replica's ids are its master's; they stay.
    if (upstream === 'none') this.#history.restart(this.#newReplid());
    this.#history.createBacklog();
    const { replid, replid2 } = this.#history;
    effects.push(logEffect({ name: 'backlogCreated', replid, replid2 }));
  }

  #newReplid(): Replid {
    return asReplid(randomHex(this.#rng, 40));
  }

  /** Bytes of the running snapshot, in order. */
  snapshotBytes(job: JobNumber, buf: Buffer, at: number, size: number): void {
    this.#desk.snapshotBytes(job, buf, at, size);
  }

  /** Clients that the running snapshot goes to, so that its pace can follow the slowest. */
  snapshotClients(job: JobNumber): readonly ClientNumber[] {
    return this.#desk.snapshotClients(job);
  }

  #snapshotEnded(now: MonoMs, job: JobNumber, isComplete: boolean, effects: SourceEffect[]): void {
    if (isComplete) {
      this.#desk.finish(now, job, effects);
      for (const session of this.#replicas.online) this.#sendStream(session);
      this.#trim();
      return;
    }
    const members = this.#desk.fail(job);
    if (members.length > 0) effects.push(logEffect({ name: 'snapshotFailed' }));
    for (const session of members) this.#close(session, 'snapshotFailed', effects);
  }

  #closed(now: MonoMs, client: ClientNumber, effects: SourceEffect[]): void {
    const session = this.#replicas.find(client);
    if (!session) return;
    if (isReplica(session)) {
      effects.push(logEffect({ name: 'replicaLost', replica: replicaName(session) }));
    }
    this.#remove(session, effects);
    if (this.replicaCount === 0) this.#aloneSince ??= now;
  }

  #close(session: ReplicaSession, reason: CloseReason, effects: SourceEffect[]): void {
    effects.push({ kind: 'close', client: session.client, reason });
    this.#remove(session, effects);
  }

  #remove(session: ReplicaSession, effects: SourceEffect[]): void {
    this.#replicas.remove(session);
    this.#desk.forget(session, effects);
    this.#trim();
  }

  /** Lets all replicas go, so that they ask again and learn of a changed history. */
  disconnectAll(now: MonoMs): readonly SourceEffect[] {
    const effects: SourceEffect[] = [];
    for (const session of this.#replicas.replicas())
      this.#close(session, 'historyChanged', effects);
    this.#aloneSince ??= now;
    return effects;
  }

  /** A replica becomes master: its own history begins, and its replicas shall learn of it. */
  promote(now: MonoMs): readonly SourceEffect[] {
    const history = this.#history;
    history.shift(this.#newReplid());
    // Whoever followed our master had its database selected, not ours.
    history.streamDb = NO_DB;
    // From now on every write is recorded, so that the other replicas of our old master can go on with us.
    history.createBacklog();
    this.#nextCronAt ??= addMs(now, CRON_PERIOD_MS);
    const { replid, replid2, secondReplOffset } = history;
    const shifted = logEffect({ name: 'replidShifted', replid, replid2, secondReplOffset });
    return [...this.disconnectAll(now), shifted];
  }

  #tick(now: MonoMs, effects: SourceEffect[]): void {
    if (this.#nextCronAt === undefined || now < this.#nextCronAt) return;
    // After a pause of our own, the acknowledgements of the meantime are still to be read.
    const isLate = now - this.#nextCronAt > LATE_MS;
    this.#nextCronAt = addMs(now, CRON_PERIOD_MS);
    this.#ping(now);
    this.#keepAlive();
    if (!isLate) this.#dropSilent(now, effects);
    if (this.replicaCount === 0) this.#beAlone(now, effects);
  }

  #ping(now: MonoMs): void {
    const periodMs = this.#options.pingPeriodSeconds * 1000;
    if (this.#pingedAt === undefined || now < addMs(this.#pingedAt, periodMs)) return;
    this.#pingedAt = now;
    if (this.replicaCount === 0 || this.arePingsHeld || this.#history.isFollowing) return;
    this.feed(NO_DB, PING_COMMAND, 0, PING_COMMAND.length);
  }

  /** Those who wait for a snapshot without hearing anything would give up; a newline before the size is ignored. */
  #keepAlive(): void {
    for (const session of this.#replicas.all()) {
      const isWaiting = session.state === 'waitSnapshot';
      const isCollecting = session.state === 'receiving' && !session.needs.eof;
      if (isWaiting || isCollecting) this.#sink.send(session.client, NEWLINE, 0, 1);
    }
  }

  #dropSilent(now: MonoMs, effects: SourceEffect[]): void {
    const timeoutMs = this.#options.timeoutSeconds * 1000;
    for (const session of this.#replicas.replicas()) {
      const { state, needs } = session;
      // A collected snapshot asks nothing of the replica; it hears newlines until it comes.
      const isSilentByRight = state === 'waitSnapshot' || (state === 'receiving' && !needs.eof);
      if (isSilentByRight || needs.rdbOnly || now - session.ackTime <= timeoutMs) continue;
      const phase = state === 'online' ? 'streaming' : 'full';
      effects.push(logEffect({ name: 'replicaTimedOut', replica: replicaName(session), phase }));
      this.#close(session, 'timedOut', effects);
    }
  }

  /** Nobody came back in time: the backlog goes. From then on writes are not recorded, so the history must end. */
  #beAlone(now: MonoMs, effects: SourceEffect[]): void {
    const history = this.#history;
    this.#aloneSince ??= now;
    if (!history.backlog) {
      this.#nextCronAt = undefined;
      return;
    }
    const afterSeconds = this.#options.backlogTtlSeconds;
    if (afterSeconds === 0 || history.isFollowing) return;
    if (now - this.#aloneSince <= afterSeconds * 1000) return;
    history.restart(this.#newReplid());
    history.freeBacklog();
    this.#nextCronAt = undefined;
    effects.push(logEffect({ name: 'backlogFreed', afterSeconds }));
  }
}
