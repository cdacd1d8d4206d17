/**
 * Makes a snapshot for a full synchronisation or a file: walks the keyspace in slices, no faster than the slowest
 * receiver takes it.
 */
import type { Settings } from '../config/index.ts';
import type { Keyspace, Snapshot } from '../keyspace/index.ts';
import type { SnapshotFormat } from './snapshot-format.ts';

/** Where the snapshot goes. */
export interface SnapshotOutlet {
  /** Size of the pieces in which it wants the bytes, about: what a piece costs, a client may have to wait for. */
  readonly pieceBytes: number;
  /** Bytes given to the slowest receiver and not yet taken by the system. */
  pendingBytes(): number;
  /** The bytes are lent for the time of the call. */
  bytes(buf: Buffer, at: number, size: number): void;
  /** All is given. */
  ended(): void;
  /** Calls `slice` at the start of every slice of background work until it returns false. */
  addWork(slice: () => boolean): void;
}

export interface SnapshotRequest {
  readonly keyspace: Keyspace;
  readonly clock: { monoUs(): number };
  /** Tells by its count whether clients ask for anything. */
  readonly stats: { readonly totalCommands: number };
  readonly withoutData: boolean;
  readonly format: SnapshotFormat;
  readonly settings: Pick<Settings, 'rdb-key-save-delay'>;
}

/** Clients wait for a slice, so it is short while there are any, */
const SLICE_US = 10;
/** and longer, because the loop's own turns cost time too, when none has asked for anything for so long. */
const QUIET_SLICE_US = 150;
const QUIET_AFTER_US = 10_000;
/** Where turns take long, slices do too, so that the snapshot gets a fifth of the time. */
const SLICE_US_MAX = 1000;
const TURN_SHARE = 1 / 4;
/** Code that has never run takes ten times as long for the same entries. */
const SLICE_ENTRIES = 512;
const SLICE_BYTES = 256 * 1024;
/** Entries between two looks at the clock and the bytes written. */
const STEP_ENTRIES = 8;
/** Above this the walk waits for the receivers. */
const PENDING_BYTES_MAX = 1024 * 1024;
const SETTLE_ENTRIES = 1000;

export class SnapshotSender {
  readonly #request: SnapshotRequest;
  readonly #outlet: SnapshotOutlet;
  readonly #format: SnapshotFormat;
  #snapshot: Snapshot | undefined;
  #writtenCount = 0;
  #state: 'walking' | 'waiting' | 'ended' = 'ended';
  #sliceEndUs = 0;
  /** Commands that had run at the last slice, and until when clients may be about. */
  #commandCount = 0;
  #busyUntilUs = 0;
  /** With `rdb-key-save-delay`, when the next key may be written. */
  #delayedUntilUs = 0;
  #isAllWritten = false;

  constructor(request: SnapshotRequest, outlet: SnapshotOutlet) {
    this.#request = request;
    this.#outlet = outlet;
    this.#format = request.format;
  }

  /** Begins with the data of this very moment; false when too many snapshots are running. */
  start(): boolean {
    const { keyspace, withoutData } = this.#request;
    if (!withoutData) {
      this.#snapshot = keyspace.startSnapshot((dbIndex, store, ref) => {
        this.#format.entry(dbIndex, store, ref);
        this.#writtenCount++;
      });
      if (this.#snapshot === undefined) return false;
    }
    this.#format.begin();
    this.#walk();
    return true;
  }

  /** Keys written so far. */
  get writtenCount(): number {
    return this.#writtenCount;
  }

  /** A receiver took bytes or went away: the walk may go on. */
  wake(): void {
    if (this.#state === 'waiting' && !this.#isBehind()) this.#walk();
  }

  /** Nobody wants it any more. */
  abort(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    if (this.#snapshot === undefined) return;
    this.#snapshot.abort();
    const { keyspace } = this.#request;
    this.#outlet.addWork(() => keyspace.settleSnapshots(SETTLE_ENTRIES));
  }

  #walk(): void {
    this.#state = 'walking';
    this.#sliceEndUs = this.#request.clock.monoUs();
    this.#outlet.addWork(() => this.#slice());
  }

  #isBehind(): boolean {
    return this.#outlet.pendingBytes() > PENDING_BYTES_MAX;
  }

  #slice(): boolean {
    if (this.#state !== 'walking') return false;
    if (this.#isBehind()) {
      this.#state = 'waiting';
      return false;
    }
    const hasMore = this.#writeSlice();
    if (!hasMore) this.#format.end();
    this.#give(!hasMore);
    // Its last receiver may just have gone.
    if (this.#state !== 'walking') return false;
    if (hasMore) return true;
    this.#state = 'ended';
    this.#outlet.ended();
    return false;
  }

  #give(isLast: boolean): void {
    const { pendingSize } = this.#format;
    const isWhole = pendingSize >= this.#outlet.pieceBytes;
    const isPiece = isLast || isWhole || this.#delayedUntilUs > 0;
    if (isPiece && pendingSize > 0) this.#outlet.bytes(this.#format.lend(), 0, pendingSize);
  }

  #writeSlice(): boolean {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return false;
    const { clock, settings, stats } = this.#request;
    const delayUs = settings['rdb-key-save-delay'];
    if (delayUs > 0) return this.#writeDelayed(snapshot, delayUs);
    let nowUs = clock.monoUs();
    const turnUs = nowUs - this.#sliceEndUs;
    if (stats.totalCommands !== this.#commandCount) this.#busyUntilUs = nowUs + QUIET_AFTER_US;
    this.#commandCount = stats.totalCommands;
    const leastUs = nowUs < this.#busyUntilUs ? SLICE_US : QUIET_SLICE_US;
    const endUs = nowUs + Math.min(Math.max(turnUs * TURN_SHARE, leastUs), SLICE_US_MAX);
    let hasMore = true;
    for (let entries = 0; hasMore && entries < SLICE_ENTRIES; entries += STEP_ENTRIES) {
      hasMore = snapshot.next(STEP_ENTRIES);
      nowUs = clock.monoUs();
      if (this.#format.pendingSize >= SLICE_BYTES || nowUs >= endUs) break;
    }
    this.#sliceEndUs = nowUs;
    return hasMore;
  }

  /** One key at a time and a wait behind each, so that a test has the time to look; the loop goes round meanwhile. */
  #writeDelayed(snapshot: Snapshot, delayUs: number): boolean {
    const nowUs = this.#request.clock.monoUs();
    if (nowUs < this.#delayedUntilUs) return true;
    if (this.#isAllWritten) return false;
    this.#delayedUntilUs = nowUs + delayUs;
    this.#isAllWritten = !snapshot.next(1);
    return true;
  }
}
