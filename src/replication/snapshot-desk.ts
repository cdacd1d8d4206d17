/**
 * Snapshots for replicas that need one: gathers those that ask together and has one snapshot at a time made for them.
 * Their stream begins at its point in time, and is theirs once they can take it.
 */
import { type MonoMs, type Rng, addMs, invariant, randomHex } from '../base/index.ts';
import { NO_DB, type ReplicationHistory } from './history.ts';
import type { ReplicaSet } from './replica-set.ts';
import { type ClientNumber, type ReplicaSession, replicaName } from './session.ts';
import { type JobNumber, SnapshotJob } from './snapshot-job.ts';
import {
  type ReplicaSink,
  type SourceEffect,
  type SourceOptions,
  logEffect,
} from './source-types.ts';
import { EOF_MARK_SIZE } from './wire.ts';

export class SnapshotDesk {
  readonly #history: ReplicationHistory;
  readonly #sink: ReplicaSink;
  readonly #rng: Rng;
  readonly #replicas: ReplicaSet;
  /** The one being made. */
  #job: SnapshotJob | undefined;
  /** Sent, and some of its replicas still load. */
  readonly #sentJobs: Set<SnapshotJob> = new Set();
  #nextJob = 1;
  /** Latest start of the next one. */
  #startBy: MonoMs | undefined;

  constructor(init: {
    readonly history: ReplicationHistory;
    readonly sink: ReplicaSink;
    readonly rng: Rng;
    readonly replicas: ReplicaSet;
  }) {
    this.#history = init.history;
    this.#sink = init.sink;
    this.#rng = init.rng;
    this.#replicas = init.replicas;
  }

  get startBy(): MonoMs | undefined {
    return this.#startBy;
  }

  get isBusy(): boolean {
    return this.#job !== undefined;
  }

  /**
   * Begins the next snapshot if somebody needs one, none is under way and nobody else is about to ask.
   * Divergence: Redis always waits `repl-diskless-sync-delay` (5 seconds), in which a new cluster has replicas without
   * data that cannot be elected. Here the delay is the longest wait for replicas seen in their handshake, unless somebody
   * has chosen another one.
   */
  startIfGathered(now: MonoMs, options: SourceOptions, effects: SourceEffect[]): void {
    const waiting = this.#replicas.waiting();
    if (this.#job || waiting.length === 0) return;
    const delayMs = options.syncDelaySeconds * 1000;
    const isNew = this.#startBy === undefined;
    this.#startBy ??= addMs(now, delayMs);
    const isFull = options.syncMaxReplicas > 0 && waiting.length >= options.syncMaxReplicas;
    const isAwaited = options.isSyncDelayChosen || this.#replicas.isAnyoneComing(now, delayMs);
    if (isFull || now >= this.#startBy || !isAwaited) {
      this.#start(now, waiting, effects);
    } else if (isNew) {
      effects.push(logEffect({ name: 'snapshotDelayed' }));
    }
  }

  #start(now: MonoMs, waiting: readonly ReplicaSession[], effects: SourceEffect[]): void {
    invariant(this.#job === undefined, 'one snapshot at a time');
    this.#startBy = undefined;
    const withoutData = waiting[0]?.needs.withoutData ?? false;
    const members = waiting.filter((session) => session.needs.withoutData === withoutData);
    const history = this.#history;
    const { replid, masterReplOffset: replOffset } = history;
    const streamDb = history.streamDb === NO_DB ? 0 : history.streamDb;
    // A master's stream after the snapshot begins with SELECT; that of a replica goes on as its master has it.
    if (!history.isFollowing) history.streamDb = NO_DB;
    const eofMark = randomHex(this.#rng, EOF_MARK_SIZE);
    const job = new SnapshotJob({ id: this.#nextJob++, eofMark, members });
    this.#job = job;
    for (const session of members) {
      session.state = 'receiving';
      session.ackTime = now;
      if (!session.needs.rdbOnly) session.nextOffset = replOffset + 1;
      if (!session.isLegacy) this.#sendText(session, `+FULLRESYNC ${replid} ${replOffset}\r\n`);
      if (session.needs.eof) this.#sendText(session, `$EOF:${eofMark}\r\n`);
    }
    effects.push(logEffect({ name: 'snapshotStarted' }));
    effects.push({ kind: 'startSnapshot', job: job.id, replid, replOffset, streamDb, withoutData });
  }

  /** Bytes of the running snapshot, in order. */
  snapshotBytes(id: JobNumber, buf: Buffer, at: number, size: number): void {
    const job = this.#job;
    if (job?.id !== id) return;
    let isCollecting = false;
    for (const session of job.members) {
      if (session.needs.eof) this.#sink.send(session.client, buf, at, size);
      else isCollecting = true;
    }
    if (isCollecting) job.holdSnapshot(buf, at, size);
  }

  snapshotClients(id: JobNumber): readonly ClientNumber[] {
    return this.#job?.id === id ? [...this.#job.members].map((session) => session.client) : [];
  }

  /** The snapshot is whole: each member is told, and those that need no word back are online. */
  finish(now: MonoMs, id: JobNumber, effects: SourceEffect[]): void {
    const job = this.#job;
    if (job?.id !== id) return;
    this.#job = undefined;
    this.#sentJobs.add(job);
    const streamedCount = [...job.members].filter(({ needs }) => needs.eof).length;
    if (streamedCount > 0) {
      effects.push(logEffect({ name: 'snapshotStreamed', replicaCount: streamedCount }));
    }
    for (const session of [...job.members]) {
      const isStreamed = session.needs.eof;
      if (isStreamed) {
        this.#sendText(session, job.eofMark);
      } else {
        this.#sendText(session, `$${job.snapshotBytes}\r\n`);
        for (const piece of job.snapshot) this.#sink.send(session.client, piece, 0, piece.length);
      }
      session.state = 'loading';
      session.ackTime = now;
      effects.push(logEffect({ name: 'snapshotSent', replica: replicaName(session), isStreamed }));
      if (session.needs.rdbOnly) this.#leave(job, session);
      else if (!isStreamed) this.putOnline(now, session, effects);
    }
    job.releaseSnapshot();
  }

  /** The members of a snapshot that could not be made. They are no longer waited for. */
  fail(id: JobNumber): readonly ReplicaSession[] {
    const job = this.#job;
    if (job?.id !== id) return [];
    this.#job = undefined;
    return [...job.members];
  }

  /** A replica has loaded its snapshot: it can take the stream since then. */
  putOnline(now: MonoMs, session: ReplicaSession, effects: SourceEffect[]): void {
    const job = [...this.#sentJobs].find((sent) => sent.members.has(session));
    if (!job) return;
    this.#leave(job, session);
    this.#replicas.putOnline(session, now);
    effects.push(logEffect({ name: 'replicaOnline', replica: replicaName(session) }));
    effects.push({ kind: 'acknowledged', client: session.client });
  }

  /** A replica went away. */
  forget(session: ReplicaSession, effects: SourceEffect[]): void {
    for (const job of this.#sentJobs) this.#leave(job, session);
    const job = this.#job;
    if (job?.members.delete(session) && job.members.size === 0) {
      this.#job = undefined;
      effects.push(logEffect({ name: 'snapshotAbandoned' }));
      effects.push({ kind: 'abortSnapshot', job: job.id });
    }
    if (this.#replicas.waiting().length === 0) this.#startBy = undefined;
  }

  #leave(job: SnapshotJob, session: ReplicaSession): void {
    job.members.delete(session);
    if (job.members.size === 0) this.#sentJobs.delete(job);
  }

  #sendText(session: ReplicaSession, text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.#sink.send(session.client, bytes, 0, bytes.length);
  }
}
