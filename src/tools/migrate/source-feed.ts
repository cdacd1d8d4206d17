/**
 * Follows one master as a replica does and puts what it sends into the spool: the snapshot, then the stream of writes.
 * After a lost connection the stream goes on where it was, if the master still knows.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { type MonoMs, assertNever, monoMs, replid, seededRng } from '../../base/index.ts';
import { type NodeAddress, connectSocket, formatAddress } from '../../client/index.ts';
import {
  BACKLOG_BYTES_MIN,
  type LinkEffect,
  type LinkPhase,
  ReplicaLink,
  ReplicationHistory,
  logSentence,
} from '../../replication/index.ts';
import type { ReadBeat } from './read-beat.ts';
import type { Spool } from './spool.ts';

export interface SourceFeedOptions {
  readonly address: NodeAddress;
  readonly spool: Spool;
  /** Above this the source has to wait, and its output buffer fills. */
  readonly spoolBytesMax: number;
  readonly timeoutMs: number;
  /** Of a source that is Valkey: its own. */
  readonly valkeyVersion: string | undefined;
  /** When the stream is read on. */
  readonly beat: ReadBeat;
  readonly log: (line: string) => void;
}

const TICK_MS = 50;
/** What one read brings at most. */
const READ_BYTES: number = 64 * 1024;
/** Who reads so much is behind, and does not wait for more. */
const GATHERED_BYTES: number = READ_BYTES / 2;
/** A tick so much overdue means that the process stood still. */
const STANDSTILL_MS = 50;
/** `repl-timeout` of redis.conf. */
const SILENCE_SECONDS = 60;

export class SourceFeed {
  readonly #options: SourceFeedOptions;
  #address: NodeAddress;
  #history: ReplicationHistory;
  #link: ReplicaLink;
  #socket: Socket | undefined;
  /** Tells a connection that is still being made that nobody wants it any more. */
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the stream gathers until the next beat. */
  #isGathering = false;
  /** Where the socket reads to; all of it is passed on before the next read. */
  readonly #chunk: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #snapshotBytes = 0;
  #snapshotSize: number | undefined;
  #hasSnapshot = false;
  /** Snapshots that were begun; never falls. */
  beginCount = 0;
  /**
   * Times that nobody can tell how long what comes next was on its way: a new connection, or this process stood still.
   * Never falls.
   */
  gapCount = 0;
  #tickedMs = 0;

  constructor(options: SourceFeedOptions) {
    this.#options = options;
    this.#address = options.address;
    this.#history = newHistory();
    this.#link = this.#newLink(false);
  }

  #newLink(hasPosition: boolean): ReplicaLink {
    const { username, password } = this.#options.address;
    return new ReplicaLink({
      history: this.#history,
      rng: seededRng(randomInt(2 ** 31)),
      hasPosition,
      options: {
        announcedPort: 0,
        announcedIp: '',
        announcedVersion: this.#options.valkeyVersion,
        masterUser: username ?? '',
        masterAuth: password ?? '',
        timeoutSeconds: SILENCE_SECONDS,
      },
    });
  }

  /** Address that is followed now. */
  get name(): string {
    return formatAddress(this.#address);
  }

  get endpoint(): { readonly host: string; readonly port: number } {
    const { host, port } = this.#address;
    return { host, port };
  }

  get phase(): LinkPhase {
    return this.#link.phase;
  }

  /** The history that is followed. */
  get replid(): string {
    return this.#history.replid;
  }

  /** Whether a whole snapshot was received, or none is needed. */
  get hasSnapshot(): boolean {
    return this.#hasSnapshot;
  }

  /** Bytes of the snapshot that came, and how many there are if the master said so. */
  get snapshot(): { readonly bytes: number; readonly size: number | undefined } {
    return { bytes: this.#snapshotBytes, size: this.#snapshotSize };
  }

  /** Replication offset up to which the stream was received. */
  get receivedOffset(): number {
    return this.#history.masterReplOffset;
  }

  start(): void {
    const { host, port } = this.#address;
    this.#carryOut(this.#link.step(now(), { kind: 'follow', host, port, isAtStart: true }));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Goes on at another address of the same data: a replica that took over, which knows where we are. */
  follow({ host, port }: { readonly host: string; readonly port: number }): void {
    this.#address = { ...this.#address, host, port };
    if (this.#timer === undefined) return;
    this.#carryOut(this.#link.step(now(), { kind: 'follow', host, port }));
  }

  /** Asks for everything anew. */
  restart(): void {
    this.stop();
    this.#hasSnapshot = false;
    this.#link = this.#newLink(false);
    this.start();
  }

  /** Asks for the stream behind this point, or, where the master does not have that any more, for everything. */
  resume(position: {
    readonly replid: string;
    readonly offset: number;
    readonly db: number;
  }): void {
    this.stop();
    this.#history = newHistory();
    this.#history.restore(replid(position.replid), position.offset, position.db);
    this.#link = this.#newLink(true);
    this.#hasSnapshot = true;
    this.start();
  }

  /** Whether there is no connection to the master. */
  get isDown(): boolean {
    return this.phase === 'waiting' || this.phase === 'connecting';
  }

  /** Lets the master go; what was received stays in the spool. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#carryOut(this.#link.step(now(), { kind: 'stop' }));
  }

  /** The stream asked how far we are. */
  acknowledge(): void {
    this.#carryOut(this.#link.step(now(), { kind: 'getAck' }));
  }

  #tick(): void {
    this.#noticeStandstill();
    this.#tickedMs = performance.now();
    this.#carryOut(this.#link.step(now(), { kind: 'tick' }));
    if (!this.#isGathering) this.#read();
  }

  /** Reads on, unless too much waits already. */
  #read(): void {
    if (this.#options.spool.heldBytes <= this.#options.spoolBytesMax) this.#socket?.resume();
  }

  #carryOut(effects: readonly LinkEffect[]): void {
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: LinkEffect): void {
    const { spool } = this.#options;
    switch (effect.kind) {
      case 'connect':
        void this.#connect(++this.#attempt);
        return;
      case 'send':
        this.#socket?.write(effect.bytes);
        return;
      case 'close':
        return this.#drop();
      case 'beginSnapshot':
        this.beginCount++;
        this.#snapshotBytes = 0;
        this.#snapshotSize = effect.sizeBytes;
        this.#hasSnapshot = false;
        return spool.push('begin');
      case 'snapshotBytes':
        this.#snapshotBytes += effect.size;
        return spool.push('snapshot', effect.buf, effect.at, effect.size);
      case 'endSnapshot':
        this.#hasSnapshot = true;
        return this.#beginStream();
      case 'abortSnapshot':
        return spool.push('abort');
      case 'stream':
        this.#history.append(effect.buf, effect.at, effect.size);
        this.#history.backlog?.trim(Infinity);
        return spool.push('stream', effect.buf, effect.at, effect.size);
      case 'log':
        for (const { text } of logSentence(effect.event)) this.#options.log(text);
        return;
      // Every byte of the stream counts as ours, whole command or not, so it goes on byte for byte; there are no replicas.
      case 'resetStream':
      case 'disconnectReplicas':
      case 'handoverAnswered':
      case 'linkUp':
      case 'linkDown':
        return;
      default:
        assertNever(effect);
    }
  }

  /** The spool has the snapshot: from now on the stream may come, from the offset that the snapshot stands for. */
  #beginStream(): void {
    const effects = this.#link.step(now(), { kind: 'snapshotLoaded', streamDb: 0 });
    const offset = Buffer.from(String(this.#history.masterReplOffset));
    this.#options.spool.push('end', offset, 0, offset.length);
    this.#carryOut(effects);
  }

  async #connect(attempt: number): Promise<void> {
    const { timeoutMs } = this.#options;
    const address = this.#address;
    let socket: Socket;
    try {
      // Only a socket that reads so stops at once when it is told to.
      socket = await connectSocket(
        { ...address, timeoutMs },
        {
          buffer: this.#chunk,
          callback: (size) => attempt === this.#attempt && this.#received(size),
        },
      );
    } catch (error) {
      if (attempt !== this.#attempt) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#carryOut(this.#link.step(now(), { kind: 'connectFailed', reason }));
      return;
    }
    if (attempt !== this.#attempt) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    this.gapCount++;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#carryOut(this.#link.step(now(), { kind: 'closed' }));
    });
    this.#carryOut(this.#link.step(now(), { kind: 'connected' }));
  }

  #noticeStandstill(): void {
    const isOverdue = performance.now() - this.#tickedMs > TICK_MS + STANDSTILL_MS;
    if (!isOverdue || this.#tickedMs === 0) return;
    this.gapCount++;
    this.#tickedMs = 0;
  }

  /** Bytes came into `#chunk`; answers whether to read on at once. */
  #received(size: number): boolean {
    this.#noticeStandstill();
    this.#carryOut(this.#link.receive(now(), this.#chunk, 0, size));
    if (this.#options.spool.heldBytes > this.#options.spoolBytesMax) return false;
    if (this.phase !== 'connected' || size >= GATHERED_BYTES) return true;
    if (this.#isGathering) return false;
    this.#isGathering = true;
    this.#options.beat.next(() => {
      this.#isGathering = false;
      this.#read();
    });
    return false;
  }

  #drop(): void {
    this.#attempt++;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}

/** Of nothing yet. */
function newHistory(): ReplicationHistory {
  return new ReplicationHistory({
    replid: replid(randomBytes(20).toString('hex')),
    backlogBytes: BACKLOG_BYTES_MIN,
  });
}

function now(): MonoMs {
  return monoMs(Math.floor(performance.now()));
}
