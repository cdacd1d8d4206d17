/**
 * Sends the stream of one source to the nodes of the target so that each command is carried out once, whatever ends when.
 * A node is sent one batch at a time: nothing goes out before all that came earlier is carried out there. Positions are
 * stored with the effects (`StreamBatch`), and now and then a mark in each node says that all up to an offset is done.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  ClientError,
  type Deployment,
  NOBODY,
  type RawReplies,
  RequestBuffer,
  type RespClient,
} from '../../client/index.ts';
import { ReplyError, encodeRequest } from '../../resp/index.ts';
import type { ProgressKeys } from '../flow/index.ts';
import {
  type Refusal,
  areAllDone,
  hasMissedRenewal,
  requestsOf,
  sortOut,
} from './batch-replies.ts';
import { LATE_MS } from './late-keys.ts';
import { type StreamPosition, formatMark } from './marks.ts';
import type { ReadBeat } from './read-beat.ts';
import { type Item, NO_SLOT, StreamBatch } from './stream-batch.ts';

export interface StreamSenderOptions {
  readonly deployment: Deployment;
  readonly keys: ProgressKeys;
  /** Of its connections, so that a later run can end them. */
  readonly name: string;
  /** An answer is a reason to end: nothing that comes later is carried out then. */
  readonly onRefusal: (refusal: Refusal) => Error | undefined;
  /** Commands were, or will be, carried out later than they were added; called before a mark passes them. */
  readonly onLate: ((commands: readonly LateCommand[]) => void) | undefined;
  /** The key that decides where a command goes. */
  readonly keyOf: (args: readonly Buffer[]) => Buffer;
  /** Slots that hold a mark, as was told last. */
  readonly markSlots: readonly number[];
  /** Others hold one now. */
  readonly onMarkSlots: (slots: readonly number[]) => void;
  /** When answers that nobody waits for are read; undefined: as they come. */
  readonly beat: ReadBeat | undefined;
}

/** `db`: of the target. */
export interface LateCommand {
  readonly db: number;
  readonly args: readonly Buffer[];
}

interface Lane {
  readonly client: RespClient;
  /** Slot that holds its mark. */
  readonly markSlot: number;
  /** The last one takes more. */
  batches: StreamBatch[];
  /** One that is done, to be filled again. */
  spare: StreamBatch | undefined;
  isBusy: boolean;
  /** Items that were added, and those that are done. */
  addedCount: number;
  doneCount: number;
}

/** A position that becomes a mark when all before it is carried out. */
interface Candidate {
  readonly position: StreamPosition;
  /** Items that each lane must have done. */
  readonly goals: readonly number[];
}

const BATCH_BYTES_MAX: number = 1024 * 1024;
/** How far apart marks are at most, in bytes of the stream and in time. */
const MARK_BYTES: number = 64 * 1024;
const MARK_MS = 100;
/** Of a batch whose answers can wait. */
const LITTLE_BYTES: number = 32 * 1024;
const RETRY_MS = 50;
/** How long a slot may be on its way. */
const STUCK_MS = 120_000;

export class StreamSender {
  readonly #options: StreamSenderOptions;
  readonly #wire: RequestBuffer = new RequestBuffer();
  #lanes: Lane[] = [];
  /** Refused for the moment, in order. */
  #again: { readonly item: Item; readonly bytes: Buffer }[] = [];
  #failure: { readonly error: unknown } | undefined;
  #waiting: (() => void)[] = [];
  #position: StreamPosition;
  #candidate: Candidate | undefined;
  #markedOffset: number;
  #markedMs = 0;
  #unmarkedUntil = 0;
  #isRecovering = false;
  #toldSlots: readonly number[];
  /** Whether a mark was sent to every slot of these lanes. */
  #hasMarked = false;

  constructor(options: StreamSenderOptions, position: StreamPosition) {
    this.#options = options;
    this.#position = position;
    this.#markedOffset = position.offset;
    this.#toldSlots = options.markSlots;
  }

  /** Connects to every node. Throws ClientError. */
  async connect(): Promise<void> {
    const { deployment, name } = this.#options;
    const masters = deployment.masters();
    const clients = await Promise.all(masters.map((_, i) => deployment.connection(i)));
    await Promise.all(clients.map((client) => client.call('CLIENT', 'SETNAME', name)));
    const slots = markSlots(deployment);
    this.#lanes = clients.map((client, i) => ({
      client,
      markSlot: slots[i]!,
      batches: [new StreamBatch()],
      spare: undefined,
      isBusy: false,
      addedCount: 0,
      doneCount: 0,
    }));
    this.#hasMarked = false;
  }

  /** Whether a connection ended, which an idle sender would not notice. */
  get hasLostNode(): boolean {
    return this.#lanes.some(({ client }) => !client.isOpen);
  }

  /** Everything of the source before this offset, it included, is carried out. */
  get doneOffset(): number {
    const firsts = this.#lanes.map(({ batches }) =>
      Math.min(...batches.map((batch) => batch.firstOffset)),
    );
    for (const { item } of this.#again) firsts.push(item.offset);
    const first = Math.min(...firsts);
    return first === Infinity ? this.#position.offset : first - 1;
  }

  /** Adds commands for the owner of a slot; in order. */
  add(item: Item, buf: Buffer, at: number, size: number): void {
    this.#addTo(this.#laneOf(item.slot), item, buf, at, size);
  }

  /** Adds a command that each node is to carry out, after all before it and before all behind it. */
  addToEach(item: Omit<Item, 'slot'>, buf: Buffer): void {
    // One that removes everything takes the marks along: until there are later ones, no earlier may come back.
    this.#candidate = undefined;
    this.#unmarkedUntil = item.offset;
    for (const lane of this.#lanes) {
      lane.batches.push(new StreamBatch());
      this.#addTo(lane, { ...item, slot: NO_SLOT }, buf, 0, buf.length);
      lane.batches.push(new StreamBatch());
    }
  }

  /** Sends nothing any more. */
  end(): void {
    this.#lanes = [];
  }

  /** All before this position was added. */
  reached(position: StreamPosition): void {
    this.#position = position;
  }

  /** Sends what can be sent, and waits while too much is gathered. Throws what went wrong, if anything did. */
  async settle(): Promise<void> {
    this.#mark();
    this.#sendAll();
    await this.#recover();
    while (this.#lanes.some((lane) => bytesOf(lane) > BATCH_BYTES_MAX)) {
      await this.#change();
      await this.#recover();
    }
  }

  /** Waits until all that was added is carried out. */
  async drain(): Promise<void> {
    this.#sendAll();
    await this.#recover();
    while (this.#lanes.some(isOutstanding)) {
      await this.#change();
      await this.#recover();
    }
  }

  /** As `drain`, and every node has a mark of this position at the end. */
  async drainAndMark(position: StreamPosition): Promise<void> {
    await this.drain();
    this.#position = position;
    this.#addMarks(position);
    await this.drain();
    this.#tellSlots();
  }

  #laneOf(slot: number): Lane {
    const owner = slot === NO_SLOT ? 0 : this.#options.deployment.ownerOfSlot(slot);
    return this.#lanes[owner === NOBODY ? 0 : owner]!;
  }

  #addTo(lane: Lane, item: Item, buf: Buffer, at: number, size: number): void {
    lane.batches.at(-1)!.add(item, buf, at, size);
    lane.addedCount++;
  }

  #sendAll(): void {
    for (const lane of this.#lanes) this.#send(lane);
  }

  #send(lane: Lane): void {
    // What came waits for an answer that must rest no more.
    if (lane.isBusy && lane.batches[1]!.items.length > 0) lane.client.readOn();
    if (lane.isBusy || this.#isRecovering || this.#again.length > 0) return;
    if (this.#failure !== undefined) return;
    while (lane.batches.length > 1 && lane.batches[0]!.items.length === 0) lane.batches.shift();
    const batch = lane.batches[0]!;
    if (batch.items.length === 0) return;
    if (lane.batches.length === 1) lane.batches.push(lane.spare ?? new StreamBatch());
    lane.spare = undefined;
    lane.isBusy = true;
    batch.write(this.#wire, (slot) => this.#options.keys.position(slot));
    const { count } = this.#wire;
    const bytes = this.#wire.take();
    lane.client.exchange(bytes, count).then(
      (replies) => {
        this.#wire.recycle(bytes);
        lane.isBusy = false;
        lane.batches.shift();
        lane.doneCount += batch.items.length;
        this.#tellWhatIsLate(batch, replies);
        if (!areAllDone(replies)) this.#sortOut(batch, replies);
        batch.clear();
        lane.spare = batch;
        this.#sendAll();
        this.#mark();
        if (!this.#rest(lane)) this.#sendAll();
        this.#changed();
      },
      (error: unknown) => {
        this.#failure ??= { error };
        this.#changed();
      },
    );
  }

  /**
   * What the node answers next can wait, where that is little and nobody does; so can marks, which go with what comes next:
   * a batch of their own would keep that waiting for one more beat.
   */
  #rest({ client, batches }: Lane): boolean {
    const { beat } = this.#options;
    if (beat === undefined || this.#waiting.length > 0) return false;
    if (batches[0]!.byteCount > LITTLE_BYTES) return false;
    client.rest();
    beat.next(() => {
      client.readOn();
      // When the streams that are read at this moment have been.
      setImmediate(() => this.#sendAll());
    });
    return true;
  }

  #sortOut(batch: StreamBatch, replies: RawReplies): void {
    const { refusals, again } = sortOut(batch, replies);
    for (const refusal of refusals) this.#refuse(refusal);
    for (const index of again) {
      this.#again.push({ item: batch.items[index]!, bytes: Buffer.from(batch.bytesOf(index)) });
    }
  }

  #tellWhatIsLate(batch: StreamBatch, replies: RawReplies): void {
    if (hasMissedRenewal(batch, replies)) {
      // What was made of that key since then is wrong too.
      for (const { batches } of this.#lanes) for (const each of batches) each.isLate = true;
      batch.isLate = true;
    }
    batch.isLate ||= performance.now() - batch.sinceMs > LATE_MS;
    if (batch.isLate) this.#tellLate(commandsOf(batch));
  }

  #tellLate(commands: readonly { readonly item: Item; readonly bytes: Buffer }[]): void {
    this.#options.onLate?.(
      commands.map(({ item, bytes }) => ({ db: item.db, args: requestsOf(bytes, 1)[0] ?? [] })),
    );
  }

  #refuse(refusal: Refusal): void {
    const error = this.#options.onRefusal(refusal);
    if (error !== undefined) this.#failure ??= { error };
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #change(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Chooses a position to mark, or marks it when all before it is done. */
  #mark(): void {
    const { offset } = this.#position;
    if (this.#candidate === undefined) {
      const isFar = offset - this.#markedOffset >= MARK_BYTES;
      const isOld = performance.now() - this.#markedMs >= MARK_MS;
      if (offset === this.#markedOffset || offset < this.#unmarkedUntil) return;
      if (!isFar && !isOld) return;
      const goals = this.#lanes.map(({ addedCount }) => addedCount);
      this.#candidate = { position: this.#position, goals };
    }
    const { position, goals } = this.#candidate;
    if (this.#again.length > 0 || this.#failure !== undefined) return;
    if (!this.#lanes.every(({ doneCount }, i) => doneCount >= goals[i]!)) return;
    // Marks that were sent before are stored by now.
    if (this.#hasMarked) this.#tellSlots();
    this.#addMarks(position);
  }

  #tellSlots(): void {
    const slots = this.#lanes.map(({ markSlot }) => markSlot);
    if (slots.join() === this.#toldSlots.join()) return;
    this.#toldSlots = slots;
    this.#options.onMarkSlots(slots);
  }

  #addMarks(position: StreamPosition): void {
    this.#candidate = undefined;
    this.#hasMarked = true;
    this.#markedOffset = position.offset;
    this.#markedMs = performance.now();
    const { keys } = this.#options;
    for (const lane of this.#lanes) {
      const bytes = encodeRequest(['SET', keys.mark(lane.markSlot), formatMark(position)]);
      const { offset } = this.#position;
      const item = { slot: lane.markSlot, db: 0, isRepeatable: true, offset };
      this.#addTo(lane, item, bytes, 0, bytes.length);
    }
  }

  /** Sends again what was redirected, to whoever has its slot now, before anything that comes later. */
  async #recover(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#again.length === 0) return;
    this.#isRecovering = true;
    while (this.#lanes.some(({ isBusy }) => isBusy)) await this.#change();
    const deadlineMs = performance.now() + STUCK_MS;
    while (this.#again.length > 0) {
      if (performance.now() > deadlineMs) {
        throw new ClientError('TIMEOUT', `Slots of the target were not served for ${STUCK_MS} ms`);
      }
      await this.#sendAgain();
      await this.#reroute();
      await this.#tryAgain();
    }
    this.#isRecovering = false;
    this.#sendAll();
  }

  /** Commands that are not in a transaction may be followed into a slot that is on its way. */
  async #sendAgain(): Promise<void> {
    const units = new Set(
      this.#again.filter(({ item }) => !item.isRepeatable).map(({ item }) => item.slot),
    );
    const again = this.#again;
    this.#again = [];
    this.#tellLate(again);
    for (const { item, bytes } of again) {
      if (units.has(item.slot)) {
        this.#again.push({ item, bytes });
        continue;
      }
      const [args = []] = requestsOf(bytes, 1);
      try {
        await this.#options.deployment.call(item.db, this.#options.keyOf(args), ...args);
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error;
        this.#refuse({ args, db: item.db, reason: error.message });
      }
    }
  }

  /** Reads the map again; what was not sent goes where its slot is now. */
  async #reroute(): Promise<void> {
    const staged = this.#lanes.flatMap(({ batches }) => batches);
    await this.#options.deployment.refresh();
    await this.connect();
    this.#candidate = undefined;
    for (const batch of staged) {
      this.#tellLate(commandsOf(batch));
      for (const [index, item] of batch.items.entries()) {
        const bytes = batch.bytesOf(index);
        this.add(item, bytes, 0, bytes.length);
      }
    }
    // Every node has a mark from now on, also one that is new.
    this.#markedOffset = -1;
    this.#markedMs = 0;
  }

  /** Transactions need their slot in one place; they wait for that. */
  async #tryAgain(): Promise<void> {
    const waiting = this.#again;
    this.#again = [];
    if (waiting.length === 0) return;
    const lanes = this.#lanes.map(() => new StreamBatch());
    for (const { item, bytes } of waiting) {
      const owner = this.#options.deployment.ownerOfSlot(item.slot);
      lanes[owner === NOBODY ? 0 : owner]!.add(item, bytes, 0, bytes.length);
    }
    const sent = lanes.map(async (batch, i) => {
      if (batch.items.length === 0) return;
      const out = new RequestBuffer();
      batch.write(out, (slot) => this.#options.keys.position(slot));
      const { count } = out;
      const replies = await this.#lanes[i]!.client.exchange(out.take(), count);
      if (!areAllDone(replies)) this.#sortOut(batch, replies);
    });
    await Promise.all(sent);
    if (this.#again.length > 0) await pause(RETRY_MS);
  }
}

function commandsOf(batch: StreamBatch): { readonly item: Item; readonly bytes: Buffer }[] {
  return batch.items.map((item, index) => ({ item, bytes: batch.bytesOf(index) }));
}

function bytesOf({ batches }: Lane): number {
  return batches.reduce((sum, { byteCount }) => sum + byteCount, 0);
}

function isOutstanding({ batches, isBusy }: Lane): boolean {
  return isBusy || batches.some(({ items }) => items.length > 0);
}

/** A slot of each node of the target. */
export function markSlots(deployment: Deployment): number[] {
  const count = deployment.masters().length;
  if (!deployment.isCluster) return [0];
  const slots: number[] = [];
  for (let slot = 0, found = 0; found < count; slot++) {
    const owner = deployment.ownerOfSlot(slot);
    if (owner === NOBODY || slots[owner] !== undefined) continue;
    slots[owner] = slot;
    found++;
  }
  return slots;
}
