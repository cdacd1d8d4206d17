/**
 * Sends the keys of some slots to another node, and every write to them from then on. The keys are walked in slices, no
 * faster than the target takes them in. A write to keys that were passed follows them; one to keys that come later needs
 * no sending; where one unit touches both, the passed keys are sent anew as they are. So no point in time is kept, and no
 * write waits in memory for the walk to end.
 */
import type { ExportEvent } from '../cluster/index.ts';
import { hasSlotBit, slotRanges } from '../cluster/index.ts';
import { type MonoMs, assertNever } from '../base/index.ts';
import { type Reply, ReplyError, encodeRequest } from '../resp/index.ts';
import type { Database, Ref } from '../keyspace/index.ts';
import type { Inside } from './inside.ts';
import { ReplyConnection } from './reply-connection.ts';
import { SlotFormat } from './slot-format.ts';
import { SlotLargeKeys } from './slot-large-keys.ts';
import type { StreamCommand } from './slot-stream.ts';
import { SlotWalk } from './slot-walk.ts';

/** Clients wait for a slice. */
const SLICE_US = 400;
const SLICE_KEYS_MAX = 2048;
/** Keys between two looks at the clock. */
const STEP_KEYS = 32;
const PIECE_BYTES = 8 * 1024;
/**
 * Bytes that the target has not acknowledged, above which the walk waits. What it has not taken in stands before its
 * clients: so as few as keep it busy, which are many only where an answer takes long by itself.
 */
const WINDOW_BYTES_MIN: number = 2 * PIECE_BYTES;
const WINDOW_BYTES_MAX: number = 512 * PIECE_BYTES;
/** What an acknowledgement may take beyond the fastest one before it says that too much is on its way. */
const DELAY_MS_MAX = 4;
/** Above this the writes come faster than the target takes them. */
const BACKLOG_BYTES_MAX = 256 * 1024 * 1024;
/** An idle target is asked this often whether it lives. */
const ASK_MS = 1000;

/** The machine hears this often at most that the other end lives. */
export const NOTE_MS = 100;

/** Said by the target unasked: this export may hold its clients' writes. */
export const TURN = 'TURN';

/** A target of another kind, or an older version, does not know how we ask. */
const NOT_UNDERSTOOD = /^(?:syntax error|unknown |Unknown )/;

const MULTI: Buffer = encodeRequest(['MULTI']);
const EXEC: Buffer = encodeRequest(['EXEC']);

export interface SlotExportInit {
  readonly name: string;
  readonly sourceId: string;
  readonly slots: Uint8Array;
  readonly host: string;
  readonly port: number;
  readonly told: (event: ExportEvent) => void;
}

type Expected = 'auth' | 'establish' | 'ack' | 'drain' | 'takeover';

export class SlotExportRun {
  readonly #inside: Inside;
  readonly #db: Database;
  readonly #init: SlotExportInit;
  readonly #connection: ReplyConnection;
  readonly #walk: SlotWalk;
  readonly #format: SlotFormat;
  readonly #large: SlotLargeKeys;
  readonly #expected: {
    readonly kind: Expected;
    readonly sentBytes: number;
    readonly askedAt: MonoMs;
  }[] = [];
  #windowBytes: number = WINDOW_BYTES_MIN;
  #fastestMs = Infinity;
  #sentBytes = 0;
  #ackedBytes = 0;
  /** Sent when the last acknowledgement was asked for. */
  #askedBytes = 0;
  #askedAt: MonoMs;
  #notedAt = -Infinity;
  #isSending = false;
  #isWalking = false;
  #isFlushAsked = false;
  #isCopiedTold = false;
  #isClosed = false;

  constructor(inside: Inside, init: SlotExportInit) {
    this.#inside = inside;
    this.#init = init;
    const db = inside.keyspace.db(0);
    this.#db = db;
    const ranges = slotRanges(init.slots);
    const slots = ranges.flatMap(([from, to]) =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i),
    );
    this.#walk = new SlotWalk(db, slots);
    this.#format = new SlotFormat(db);
    this.#large = new SlotLargeKeys(db, this.#format);
    this.#askedAt = inside.now;
    const { host, port, name, sourceId } = init;
    this.#connection = new ReplyConnection(inside.ports.network, {
      host,
      port,
      purpose: 'cluster',
    });
    this.#connection.listener = {
      opened: () => undefined,
      reply: (reply) => this.#replied(reply),
      closed: () => this.#break('the connection to the target broke'),
    };
    const { masterauth, masteruser } = inside.settings;
    if (masterauth !== '') {
      const user = masteruser === '' ? [] : [masteruser];
      this.#ask('auth', 'AUTH', ...user, masterauth);
    }
    const words = ranges.flatMap(([from, to]) => [String(from), String(to)]);
    this.#ask('establish', 'CLUSTER', 'SYNCSLOTS', 'ESTABLISH', name, sourceId, ...words);
  }

  /** A unit of this node's writes. */
  changed(unit: readonly StreamCommand[]): void {
    if (!this.#isSending) return;
    const { slots } = this.#init;
    const mine = unit.filter(({ keys }) => keys.some(({ slot }) => hasSlotBit(slots, slot)));
    const keys = mine.flatMap((command) => command.keys);
    const passed = keys.filter(
      ({ key, slot }) => hasSlotBit(slots, slot) && this.#hasSent(slot, key),
    );
    if (passed.length === 0) return;
    if (passed.length < keys.length) {
      for (const { key } of passed) this.#format.state(key);
    } else {
      if (mine.length > 1) this.#format.add(MULTI);
      for (const { bytes } of mine) this.#format.add(bytes);
      if (mine.length > 1) this.#format.add(EXEC);
    }
    if (this.#unackedBytes > BACKLOG_BYTES_MAX)
      this.#break('the target takes in writes too slowly');
    else this.#flushSoon();
  }

  #hasSent(slot: number, key: Buffer): boolean {
    if (!this.#walk.hasPassed(slot, key)) return false;
    this.#large.changed(key);
    return !this.#large.has(key);
  }

  /** All keys went: the target's copies are not worth anything. */
  flushed(): void {
    this.#break('the keys were flushed');
  }

  askTurn(): void {
    this.#flush();
    this.#ask('ack', 'CLUSTER', 'SYNCSLOTS', TURN);
  }

  /** No write follows. */
  drain(): void {
    this.#flush();
    this.#ask('drain', 'CLUSTER', 'SYNCSLOTS', 'DRAIN');
  }

  takeOver(epoch: number): void {
    this.#flush();
    // Nothing follows: what is deleted here from now on, the target has taken.
    this.#isSending = false;
    this.#ask('takeover', 'CLUSTER', 'SYNCSLOTS', 'TAKEOVER', String(epoch));
  }

  tick(now: MonoMs): void {
    if (this.#isSending && now - this.#askedAt >= ASK_MS && !this.#isAwaiting) this.#askAck();
  }

  close(): void {
    this.#isClosed = true;
    this.#connection.close();
  }

  get #isAwaiting(): boolean {
    return this.#expected.length > 0;
  }

  get #unackedBytes(): number {
    return this.#sentBytes + this.#format.size - this.#ackedBytes;
  }

  #ask(kind: Expected, ...args: readonly string[]): void {
    const askedAt = this.#inside.ports.clock.monoMs();
    this.#expected.push({ kind, sentBytes: this.#sentBytes, askedAt });
    this.#connection.send(encodeRequest(args));
  }

  #askAck(): void {
    this.#askedBytes = this.#sentBytes;
    this.#askedAt = this.#inside.now;
    this.#ask('ack', 'CLUSTER', 'SYNCSLOTS', 'ACK');
  }

  #replied(reply: Reply): void {
    // Whoever gives a move up says so unasked.
    if (reply instanceof ReplyError) {
      const said = reply.message.replace(/^ERR /, '');
      const isStranger = this.#expected[0]?.kind === 'establish' && NOT_UNDERSTOOD.test(said);
      const reason = isStranger ? `the target does not take slots from this node: ${said}` : said;
      return this.#init.told({ kind: 'broken', reason });
    }
    if (reply === TURN) return this.#init.told({ kind: 'turn' });
    const expected = this.#expected.shift();
    if (expected === undefined) return this.#break('the target said what nobody asked');
    switch (expected.kind) {
      case 'auth':
        return;
      case 'establish':
        this.#isSending = true;
        this.#init.told({ kind: 'accepted' });
        return this.#walkOn();
      case 'ack':
        this.#noteAck();
        this.#adaptWindow(expected.askedAt);
        return this.#acknowledged(expected.sentBytes);
      case 'drain':
        return this.#init.told({ kind: 'ready', epoch: Number(reply) });
      case 'takeover':
        return this.#init.told({ kind: 'acknowledged' });
      default:
        return assertNever(expected.kind);
    }
  }

  /** Acknowledgements come by the thousand, and the machine only keeps when the last one came. */
  #noteAck(): void {
    const { now } = this.#inside;
    if (now - this.#notedAt < NOTE_MS) return;
    this.#notedAt = now;
    this.#init.told({ kind: 'acknowledged' });
  }

  #acknowledged(bytes: number): void {
    this.#ackedBytes = bytes;
    if (this.#isWalked) this.#tellIfCopied();
    else this.#walkOn();
  }

  /** Whether every key has been sent. */
  get #isWalked(): boolean {
    return this.#walk.isDone && this.#large.isEmpty;
  }

  #walkOn(): void {
    if (this.#isWalking || this.#isBehind) return;
    this.#isWalking = true;
    this.#inside.addWork(() => {
      this.#isWalking = this.#slice();
      return this.#isWalking;
    });
  }

  #adaptWindow(askedAt: MonoMs): void {
    const tookMs = this.#inside.ports.clock.monoMs() - askedAt;
    this.#fastestMs = Math.min(this.#fastestMs, tookMs);
    const isSlow = tookMs > this.#fastestMs + DELAY_MS_MAX;
    this.#windowBytes = isSlow
      ? Math.max(this.#windowBytes - PIECE_BYTES, WINDOW_BYTES_MIN)
      : Math.min(this.#windowBytes + PIECE_BYTES, WINDOW_BYTES_MAX);
  }

  get #isBehind(): boolean {
    return this.#unackedBytes > this.#windowBytes;
  }

  #tellIfCopied(): void {
    const limit = this.#inside.settings['slot-migration-max-failover-repl-bytes'];
    if (this.#isCopiedTold || (limit >= 0 && this.#unackedBytes > limit)) return;
    this.#isCopiedTold = true;
    this.#init.told({ kind: 'copied' });
  }

  #slice(): boolean {
    if (this.#isClosed || this.#isWalked || this.#isBehind) return false;
    const { clock } = this.#inside.ports;
    const endUs = clock.monoUs() + SLICE_US;
    const format = this.#format;
    for (let keys = 0; keys < SLICE_KEYS_MAX && !this.#isWalked; keys += STEP_KEYS) {
      if (this.#large.isEmpty) this.#walk.next(STEP_KEYS, (ref) => this.#visit(ref));
      else this.#large.next(STEP_KEYS);
      if (format.size >= PIECE_BYTES || clock.monoUs() >= endUs) break;
    }
    if (format.size >= PIECE_BYTES || this.#isWalked) this.#flush();
    if (this.#isWalked) this.#tellIfCopied();
    return !this.#isWalked && !this.#isBehind;
  }

  #visit(ref: Ref): void {
    if (this.#db.entries.isLarge(ref)) this.#large.add(ref);
    else this.#format.entry(ref);
  }

  /** One packet for the writes of a turn. */
  #flushSoon(): void {
    if (this.#isFlushAsked) return;
    this.#isFlushAsked = true;
    this.#inside.addWork(() => {
      this.#isFlushAsked = false;
      if (!this.#isClosed) this.#flush();
      return false;
    });
  }

  #flush(): void {
    const { size } = this.#format;
    if (size > 0) {
      this.#sentBytes += size;
      this.#connection.send(this.#format.take());
    }
    const isDue = this.#sentBytes - this.#askedBytes >= PIECE_BYTES;
    if (isDue || (this.#sentBytes > this.#askedBytes && !this.#isAwaiting)) this.#askAck();
  }

  #break(reason: string): void {
    if (this.#isClosed) return;
    this.#init.told({ kind: 'broken', reason });
  }
}
