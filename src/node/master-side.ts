/** Carries out what the machine that serves replicas decides: snapshots, their bytes, and the stream to each replica. */
import type {
  JobNumber,
  ReplicaSession,
  ReplicaSink,
  ReplicationEvent,
  ReplicationSource,
  SourceEffect,
  SourceInput,
} from '../replication/index.ts';
import { replicaName } from '../replication/index.ts';
import { type MonoMs, assertNever } from '../base/index.ts';
import type { SaveProgress } from '../commands/index.ts';
import type { OutputLimit } from '../config/index.ts';
import type { Client } from './client.ts';
import type { Inside } from './inside.ts';
import { replicaOutputLimit } from './replication-options.ts';
import { RdbFormat } from './snapshot-format.ts';
import { SnapshotSender } from './snapshot-sender.ts';

type StartSnapshot = Extract<SourceEffect, { kind: 'startSnapshot' }>;

/** Bytes of a snapshot that go to the replicas in one piece, for each costs the system a call. */
const PIECE_BYTES = 64 * 1024;
/**
 * Of the stream so much is given to the connection of a replica before its system takes it; the rest waits in the
 * backlog, once for all. A turn's writes hardly ever come to more, and should be with the replica when they are answered.
 */
const STREAM_ROOM_BYTES = 1024 * 1024;

interface Sending {
  readonly job: JobNumber;
  readonly sender: SnapshotSender;
  readonly totalKeys: number;
  readonly startedAt: MonoMs;
}

interface MasterSideHooks {
  log(event: ReplicationEvent): void;
  acknowledged(): void;
  /** As in `ClusterReplication`; empty where there is nothing to say. */
  slotMarks(): string;
}

export class MasterSide implements ReplicaSink {
  readonly #inside: Inside;
  readonly #hooks: MasterSideHooks;
  /** Set once, right after both are made: the machine needs this as its sink. */
  source!: ReplicationSource;
  #sender: Sending | undefined;
  #limit: OutputLimit;
  /** Output above this may break the limit. */
  #crowdedBytes = Infinity;
  /** Whether some replica may have too much waiting for it. */
  #mayBeCrowded = false;
  /** Whether there is work under way that gives slow replicas their stream. */
  #isCatchingUp = false;

  constructor(inside: Inside, hooks: MasterSideHooks) {
    this.#inside = inside;
    this.#hooks = hooks;
    this.#limit = replicaOutputLimit(inside.settings);
    this.configure();
  }

  configure(): void {
    this.#limit = replicaOutputLimit(this.#inside.settings);
    const { hardBytes, softBytes } = this.#limit;
    this.#crowdedBytes = Math.min(hardBytes || Infinity, softBytes || Infinity);
  }

  send(id: number, buf: Buffer, at: number, size: number): void {
    const client = this.#inside.client(id);
    if (client === undefined) return;
    client.reply.raw(buf, at, size);
    this.#inside.stats.replOutputBytes += size;
    if (client.outputBytes > this.#crowdedBytes) this.#mayBeCrowded = true;
  }

  wantsStream(id: number): void {
    this.#inside.client(id)?.askFlush();
  }

  hasRoom(id: number): boolean {
    const client = this.#inside.client(id);
    if (client === undefined) return false;
    if (client.outputBytes < STREAM_ROOM_BYTES) return true;
    this.#catchUp();
    return false;
  }

  /** What did not go out in its turn goes in later ones; whose socket is full says when it has drained. */
  #catchUp(): void {
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    this.#inside.addWork(() => {
      let isMoving = false;
      for (const { client: id } of this.source.behind) {
        const client = this.#inside.client(id);
        if (client === undefined || (client.wire?.pendingBytes ?? 0) > 0) continue;
        isMoving = true;
        if (client.reply.length === 0) this.source.sendStream(id);
      }
      this.#isCatchingUp = isMoving;
      return isMoving;
    });
  }

  step(input: SourceInput): void {
    const { counters } = this.source;
    const { fullSyncs, partialAccepted, partialRefused } = counters;
    const effects = this.source.step(this.#inside.now, input);
    const { stats } = this.#inside;
    stats.fullSyncs += counters.fullSyncs - fullSyncs;
    stats.partialSyncs += counters.partialAccepted - partialAccepted;
    stats.refusedPartialSyncs += counters.partialRefused - partialRefused;
    this.carryOut(effects);
    this.#inside.rearm();
  }

  /** Present while a snapshot is on its way to replicas. */
  get snapshotProgress(): SaveProgress | undefined {
    if (this.#sender === undefined) return undefined;
    const { sender, totalKeys, startedAt } = this.#sender;
    const seconds = Math.floor((this.#inside.now - startedAt) / 1000);
    return { savedKeys: sender.writtenCount, totalKeys, seconds };
  }

  carryOut(effects: readonly SourceEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'startSnapshot':
          this.#startSnapshot(effect);
          break;
        case 'abortSnapshot':
          if (this.#sender?.job === effect.job) this.#endSender()?.abort();
          break;
        case 'close':
          this.#inside.client(effect.client)?.close();
          break;
        case 'acknowledged':
          this.#hooks.acknowledged();
          break;
        case 'log':
          this.#hooks.log(effect.event);
          break;
        default:
          assertNever(effect);
      }
    }
  }

  /** What there is of the stream for a replica is about to leave. */
  fill(client: Client): void {
    this.source.sendStream(client.id);
  }

  /** A replica's socket took all that was waiting for it. */
  drained(client: Client): void {
    if (this.source.find(client.id)?.state === 'receiving') {
      this.source.heard(this.#inside.now, client.id);
    }
    this.source.sendStream(client.id);
    this.#sender?.sender.wake();
  }

  tick(): void {
    this.#sender?.sender.wake();
    this.#mayBeCrowded = true;
    this.closeCrowded();
    if (this.source.unsentBytesMost > 0) this.#catchUp();
  }

  /** Closes the replicas for which too much of the stream is waiting. */
  closeCrowded(): void {
    if (!this.#mayBeCrowded && this.source.unsentBytesMost <= this.#crowdedBytes) return;
    this.#mayBeCrowded = false;
    for (const session of this.source.replicas()) {
      const client = this.#inside.client(session.client);
      if (client === undefined || !this.#isOverLimit(client, session)) continue;
      this.#hooks.log({ name: 'replicaTooSlow', replica: replicaName(session) });
      client.close();
    }
  }

  /** The data of a snapshot on its way is worth nothing any more: its replicas come again for what is there now. */
  flushed(): void {
    const sending = this.#sender;
    if (sending === undefined) return;
    sending.sender.abort();
    this.#snapshotEnded(sending.job, false);
  }

  #isOverLimit(client: Client, session: ReplicaSession): boolean {
    const { hardBytes, softBytes, softSeconds } = this.#limit;
    // A snapshot on its way is not counted.
    const givenBytes = session.state === 'online' ? client.outputBytes : 0;
    const waitingBytes = givenBytes + this.source.unsentBytes(session);
    if (hardBytes !== 0 && waitingBytes > hardBytes) return true;
    if (softBytes === 0 || waitingBytes <= softBytes) {
      client.outputSoftSince = undefined;
      return false;
    }
    const { now } = this.#inside;
    client.outputSoftSince ??= now;
    return now - client.outputSoftSince > softSeconds * 1000;
  }

  #startSnapshot(effect: StartSnapshot): void {
    const { keyspace } = this.#inside;
    const { job, replid, replOffset, streamDb, withoutData } = effect;
    // What the script has changed so far is yet to come in the stream. The replicas will ask again.
    if (this.#inside.isInScript) return this.#snapshotEnded(job, false);
    const sender = new SnapshotSender(
      {
        keyspace,
        clock: this.#inside.ports.clock,
        settings: this.#inside.settings,
        stats: this.#inside.stats,
        withoutData,
        format: new RdbFormat(this.#inside, {
          replication: { replid, replOffset, streamDb },
          slotMarks: this.#hooks.slotMarks(),
        }),
      },
      {
        pieceBytes: PIECE_BYTES,
        pendingBytes: () => this.#pendingBytes(job),
        bytes: (buf, at, size) => {
          this.#noteTaking(job);
          this.source.snapshotBytes(job, buf, at, size);
        },
        ended: () => this.#snapshotEnded(job, true),
        addWork: (slice) => this.#inside.addWork(slice),
      },
    );
    const totalKeys = withoutData ? 0 : keyspace.size;
    this.#sender = { job, sender, totalKeys, startedAt: this.#inside.now };
    if (!sender.start()) return this.#snapshotEnded(job, false);
    const { pid } = this.#inside.ports.system;
    this.#inside.log('notice', `Background RDB transfer started by pid ${pid}`);
  }

  #snapshotEnded(job: JobNumber, isComplete: boolean): void {
    this.#endSender();
    this.step({ kind: 'snapshotEnded', job, isComplete });
  }

  #endSender(): SnapshotSender | undefined {
    const sending = this.#sender;
    if (sending === undefined) return undefined;
    this.#sender = undefined;
    this.#inside.persistence.noteTransfer(sending.startedAt);
    return sending.sender;
  }

  /** Receivers that took all they were given so far are alive, though they say nothing. */
  #noteTaking(job: JobNumber): void {
    for (const id of this.source.snapshotClients(job)) {
      if (this.#inside.client(id)?.outputBytes === 0) this.source.heard(this.#inside.now, id);
    }
  }

  /** Of the slowest receiver. */
  #pendingBytes(job: JobNumber): number {
    let pending = 0;
    for (const id of this.source.snapshotClients(job)) {
      pending = Math.max(pending, this.#inside.client(id)?.outputBytes ?? 0);
    }
    return pending;
  }
}
