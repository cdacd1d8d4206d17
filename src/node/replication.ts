/**
 * Replication inside the node: joins the two machines, the one that serves replicas and the one that follows a master,
 * with clients, keyspace, network and log. What the machines decide is carried out here, in their order.
 */
import { type MonoMs, type Replid, addMs, earlier } from '../base/index.ts';
import type { ReplicationView } from '../cluster/index.ts';
import type { ReplicationView as ClusterReplicationView } from '../cluster/index.ts';
import {
  type ReplicationService,
  type SaveProgress,
  type Session,
  errors,
} from '../commands/index.ts';
import {
  type Peer,
  ReplicaLink,
  type LinkInput,
  type ReplicationEvent,
  ReplicationHistory,
  ReplicationSource,
  logSentence,
} from '../replication/index.ts';
import type { DirectiveName } from '../config/index.ts';
import type { RdbHeader } from '../rdb/index.ts';
import type { Client } from './client.ts';
import type { Inside } from './inside.ts';
import { MasterSide } from './master-side.ts';
import { ReplicaSide } from './replica-side.ts';
import { linkOptions, sourceOptions } from './replication-options.ts';
import type { SavedPosition } from './saved-position.ts';
import type { WaitQueue } from './wait-queue.ts';

export interface ReplicationInit {
  /** A fresh id, or that of the loaded data. */
  readonly replid: Replid;
  /** Offset that the loaded data reflects; present only when `replid` came with it. */
  readonly replOffset?: number;
  /** Events of the connection to our master open and close a turn of the node around themselves; turns nest. */
  readonly turns: { beginTurn(): void; endTurn(): void };
  /** Clients that wait, for replicas among others. */
  readonly waits: WaitQueue;
  /** Whether the replica that was asked to change places does so. */
  readonly handoverAnswered: (isAccepted: boolean) => void;
}

const ERR_NOT_CONNECTED = "NOMASTERLINK Can't SYNC while not connected with my master";
const ERR_PENDING_OUTPUT = 'ERR SYNC and PSYNC are invalid with pending output';

export class ReplicationPart implements ReplicationService, ReplicationView {
  readonly history: ReplicationHistory;
  readonly source: ReplicationSource;
  readonly link: ReplicaLink;
  /** Called when the applied offset moved, or the link to the master went up or down. */
  onProgress: (() => void) | undefined;
  onReplaced: ((slotMarks: string) => void) | undefined;
  slotMarks: (() => string) | undefined;
  readonly #inside: Inside;
  readonly #masterSide: MasterSide;
  readonly #replicaSide: ReplicaSide;
  readonly #waits: WaitQueue;
  #isDelaySet = false;
  /** End of the stream when the replicas were last asked for acknowledgements. */
  #ackAskedAt = -1;

  constructor(inside: Inside, init: ReplicationInit) {
    const { settings, ports } = inside;
    this.#inside = inside;
    this.history = new ReplicationHistory({
      replid: init.replid,
      backlogBytes: settings['repl-backlog-size'],
      replOffset: init.replOffset ?? 0,
    });
    const { history } = this;
    const log = (event: ReplicationEvent): void => this.#log(event);
    this.#waits = init.waits;
    this.#masterSide = new MasterSide(inside, {
      log,
      acknowledged: () => this.#waits.acknowledged(),
      slotMarks: () => this.slotMarks?.() ?? '',
    });
    this.source = new ReplicationSource({
      history,
      rng: ports.rng,
      options: sourceOptions(settings, false),
      sink: this.#masterSide,
    });
    this.#masterSide.source = this.source;
    this.link = new ReplicaLink({
      history,
      rng: ports.rng,
      options: linkOptions(settings),
      hasPosition: init.replOffset !== undefined,
    });
    this.#replicaSide = new ReplicaSide(inside, {
      link: this.link,
      history,
      turns: init.turns,
      log,
      relay: (buf, at, size) => {
        this.source.relay(buf, at, size);
        this.#masterSide.closeCrowded();
      },
      disconnectReplicas: () => this.#masterSide.carryOut(this.source.disconnectAll(inside.now)),
      progressed: () => this.onProgress?.(),
      replaced: (slotMarks) => this.onReplaced?.(slotMarks),
      handoverAnswered: (isAccepted) => init.handoverAnswered(isAccepted),
    });
  }

  get isReplica(): boolean {
    return this.link.target !== undefined;
  }

  /** What a replica that has a snapshot of this moment could go on from; undefined before there was any replica. */
  get snapshotFacts(): RdbHeader['replication'] {
    const { backlog, masterReplOffset, replid, streamDb } = this.history;
    if (backlog === undefined) return undefined;
    return { replid, replOffset: masterReplOffset, streamDb: Math.max(0, streamDb) };
  }

  /** Everything was flushed by a client. */
  flushed(): void {
    this.#masterSide.flushed();
  }

  /** A write of ours, for replicas; `dbIndex` is where it ran. Free while no replica was ever there. */
  feed(dbIndex: number, buf: Buffer, at: number, size: number): void {
    if (this.history.backlog === undefined || this.history.isFollowing) return;
    this.source.feed(dbIndex, buf, at, size);
    this.#masterSide.closeCrowded();
  }

  /** `isAtStart`: the node starts as a replica, with no history of its own that a master could know. */
  follow(host: string, port: number, isAtStart = false): void {
    // What a script has changed so far is in our data, and will never be in our history.
    const isUnknown = isAtStart || this.#inside.isInScript;
    this.#follow({ kind: 'follow', host, port, isAtStart: isUnknown });
  }

  #follow(input: Extract<LinkInput, { readonly kind: 'follow' }>): void {
    const inside = this.#inside;
    const { host, port } = input;
    this.#waits.refuseAll();
    inside.config.assign('replicaof', { host, port });
    inside.keyspace.expiryMode = 'hide';
    this.#replicaSide.step(input);
    inside.roleChanged();
  }

  /** A replica of ours is to be our master. */
  handOver(host: string, port: number): void {
    this.#follow({ kind: 'follow', host, port, isHandover: true });
  }

  get snapshotProgress(): SaveProgress | undefined {
    return this.#masterSide.snapshotProgress;
  }

  /** The loaded data is this point of a history; before `follow`, if the node is a replica. */
  restore({ replid, replOffset, streamDb }: SavedPosition): void {
    this.history.restore(replid, replOffset, streamDb);
  }

  /** A master that restored a position begins its own history there, and its replicas can go on with it. */
  goOn({ deletions }: SavedPosition): void {
    const { now } = this.#inside;
    this.#masterSide.carryOut(this.source.promote(now));
    for (const { dbIndex, command } of deletions) this.feed(dbIndex, command, 0, command.length);
    this.#inside.rearm();
  }

  promote(): void {
    if (!this.isReplica) return;
    const inside = this.#inside;
    inside.config.assign('replicaof', undefined);
    inside.keyspace.expiryMode = 'delete';
    this.#replicaSide.step({ kind: 'stop' });
    this.#masterSide.carryOut(this.source.promote(inside.now));
    inside.roleChanged();
    inside.rearm();
  }

  sync(session: Session, asked: { replid: string; offset: number | undefined } | undefined): void {
    const { upstream } = this.link;
    const refusal = this.source.refusalOfSync(session.id, upstream);
    if (refusal === 'alreadyReplica') return;
    if (refusal === 'noMasterLink') return session.reply.error(ERR_NOT_CONNECTED);
    if (session.reply.length > 0) return session.reply.error(ERR_PENDING_OUTPUT);
    const peer = peerOf(session);
    if (asked !== undefined && asked.offset === undefined) {
      this.#masterSide.carryOut(this.source.refuseOffset(this.#inside.now, peer));
      return session.reply.error(errors.ERR_NOT_INTEGER);
    }
    session.role = 'replica';
    session.unsentBytes = () => this.source.unsentBytes(this.source.find(session.id) ?? {});
    const position = asked && { replid: asked.replid, offset: asked.offset! };
    this.#masterSide.step({ kind: 'sync', peer, asked: position, upstream });
  }

  replconf(session: Session, args: readonly Buffer[]): void {
    const { now } = this.#inside;
    const { result, effects } = this.source.replconf(now, peerOf(session), args);
    if (result.kind === 'ok') session.reply.ok();
    else if (result.kind === 'error') session.reply.error(result.text);
    else if (result.kind === 'getAck') this.#replicaSide.step({ kind: 'getAck' });
    this.#masterSide.carryOut(effects);
  }

  acknowledgedCount(offset: number): number {
    return this.source.acknowledgedCount(offset);
  }

  /** Replicas that follow the stream. */
  get onlineCount(): number {
    return this.source.replicas().filter(({ state }) => state === 'online').length;
  }

  /** Asks all replicas how far they are. */
  requestAcks(): void {
    this.source.requestAcks();
  }

  wait(session: Session, replicas: number, offset: number, timeoutMs: number): void {
    const deadline = timeoutMs === 0 ? undefined : addMs(this.#inside.now, timeoutMs);
    this.#waits.add(session, { kind: 'wait', replicas, replOffset: offset, deadline });
    // One question answers all who ask at the same point of the stream.
    if (this.#ackAskedAt !== this.history.masterReplOffset) {
      this.requestAcks();
      this.#ackAskedAt = this.history.masterReplOffset;
    }
  }

  /** A replica without its master that must not serve old data. */
  get isStale(): boolean {
    const { settings } = this.#inside;
    return this.isReplica && !settings['replica-serve-stale-data'] && !this.link.isUp;
  }

  /** As `ReplicationService.swapLoad`. */
  get swapLoad(): 'async' | 'whole' | undefined {
    // While the master prepares it, the old data stands.
    if (this.link.phase !== 'transfer' && this.link.phase !== 'loading') return undefined;
    if (this.#inside.settings['repl-diskless-load'] !== 'swapdb') return undefined;
    return this.link.isTransferOfOurs ? 'async' : 'whole';
  }

  get hasEnoughReplicas(): boolean {
    const { settings } = this.#inside;
    const wanted = settings['min-replicas-to-write'];
    if (wanted === 0 || settings['min-replicas-max-lag'] === 0) return true;
    return this.goodReplicaCount() >= wanted;
  }

  /** For `min-replicas-to-write`: online replicas heard within `min-replicas-max-lag`. */
  goodReplicaCount(): number {
    const { now, settings } = this.#inside;
    return this.source.goodReplicaCount(now, settings['min-replicas-max-lag']);
  }

  /** What the cluster asks of replication. */
  get view(): ClusterReplicationView {
    return this;
  }

  /** Bytes of stream produced as master or applied as replica. */
  replOffset(): number {
    return this.history.masterReplOffset;
  }

  /** Milliseconds since the master was heard or its link broke; undefined while it never was up. */
  masterSilenceMs(): number | undefined {
    const ageMs = this.link.dataAgeMs(this.#inside.now);
    return Number.isFinite(ageMs) ? ageMs : undefined;
  }

  masterAddress(): { readonly host: string; readonly port: number } | undefined {
    return this.link.target;
  }

  /** Directives that replication goes by may have changed. */
  configure(changed: readonly DirectiveName[]): void {
    const { settings } = this.#inside;
    this.history.resizeBacklog(settings['repl-backlog-size']);
    this.#isDelaySet ||= changed.includes('repl-diskless-sync-delay');
    this.source.configure(sourceOptions(settings, this.#isDelaySet));
    this.link.configure(linkOptions(settings));
    this.#masterSide.configure();
  }

  /** An empty line from a client: a replica that loads says so that it lives. */
  onEmptyLine(client: Client): void {
    if (client.role === 'replica') this.source.heard(this.#inside.now, client.id);
  }

  onClientClosed(client: Client): void {
    if (client.role === 'master') this.#replicaSide.onClientClosed(client);
    else this.#masterSide.step({ kind: 'closed', client: client.id });
  }

  onReplicaFlush(client: Client): void {
    this.#masterSide.fill(client);
  }

  onClientDrained(client: Client): void {
    if (client.role === 'replica') this.#masterSide.drained(client);
  }

  tick(): void {
    this.#replicaSide.step({ kind: 'tick' });
    this.#masterSide.step({ kind: 'tick' });
    this.#masterSide.tick();
  }

  nextWake(): MonoMs | undefined {
    return earlier(this.source.nextWake(), this.link.nextWake());
  }

  /** A pause may be over. */
  resume(): void {
    this.#replicaSide.resume();
  }

  /** The master became reachable, says somebody who knows. */
  retryNow(): void {
    this.#replicaSide.step({ kind: 'retryNow' });
  }

  /** A command of the master's stream cannot be carried out here. */
  refuseCommand(): void {
    this.#replicaSide.step({ kind: 'commandRefused' });
  }

  /** The node ends: the connection to the master goes, without a word. */
  stop(): void {
    this.#replicaSide.drop();
  }

  #log(event: ReplicationEvent): void {
    for (const { level, text } of logSentence(event)) this.#inside.log(level, text);
  }
}

function peerOf(session: Session): Peer {
  const { address, id } = session;
  const ip = address.slice(0, address.lastIndexOf(':'));
  return { client: id, ip: ip.startsWith('[') ? ip.slice(1, -1) : ip };
}
