/** A snapshot on its way into a file: written aside, in its place when it is whole. */
import type { Settings } from '../config/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { FileDraft, Files } from './ports.ts';
import type { SnapshotFormat } from './snapshot-format.ts';
import { SnapshotSender } from './snapshot-sender.ts';

/** What a file brings to disk at a time. Source: 7.0, REDIS_AUTOSYNC_BYTES. */
const SYNC_BYTES = 4 * 1024 * 1024;

/** Given to the draft, which collects them, at a time. */
const PIECE_BYTES = 8 * 1024;

export interface SnapshotFileHost {
  readonly keyspace: Keyspace;
  readonly settings: Settings;
  readonly clock: { monoUs(): number };
  readonly stats: { readonly totalCommands: number };
  readonly ports: { readonly files: Files };
  addWork(slice: () => boolean): void;
  /** Does something in a turn of the node. */
  inTurn(act: () => void): void;
}

export interface SnapshotFileOptions {
  readonly format: SnapshotFormat;
  /** Name until it is whole, and then. */
  readonly temporaryName: string;
  readonly name: string;
  /** Whether everything is done when `start` returns. */
  readonly isWaiting: boolean;
  /** Brings its bytes to disk as it grows, not all at the end. */
  readonly syncsOften: boolean;
  /** It is in its place, or nothing is left of it. Not called after `abort`. */
  readonly ended: (failure: string | undefined) => void;
}

export class SnapshotFile {
  readonly #host: SnapshotFileHost;
  readonly #options: SnapshotFileOptions;
  readonly #draft: FileDraft;
  readonly #sender: SnapshotSender;
  #hasEnded = false;

  constructor(host: SnapshotFileHost, options: SnapshotFileOptions) {
    const { format, temporaryName, isWaiting, syncsOften } = options;
    this.#host = host;
    this.#options = options;
    const inTurn = (act: () => void): void => (isWaiting ? act() : host.inTurn(act));
    this.#draft = host.ports.files.draft(
      { name: temporaryName, isWaiting, syncEveryBytes: syncsOften ? SYNC_BYTES : 0 },
      {
        drained: () => inTurn(() => this.#sender.wake()),
        ended: (failure) => inTurn(() => this.#end(failure)),
      },
    );
    const { keyspace, clock, settings, stats } = host;
    this.#sender = new SnapshotSender(
      { clock, keyspace, settings, stats, withoutData: false, format },
      {
        pieceBytes: PIECE_BYTES,
        pendingBytes: () => this.#draft.pendingBytes,
        bytes: (buf, at, size) => this.#draft.write(buf.subarray(at, at + size)),
        ended: () => this.#draft.commit(options.name),
        addWork: (slice) => this.#work(slice),
      },
    );
  }

  /** Keys written so far. */
  get writtenCount(): number {
    return this.#sender.writtenCount;
  }

  /** Begins with the data of this very moment; false when too many snapshots are being made. */
  start(): boolean {
    if (this.#sender.start()) return true;
    this.#hasEnded = true;
    this.#draft.abandon();
    return false;
  }

  /** Nobody wants it any more. */
  abort(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#sender.abort();
    this.#draft.abandon();
  }

  #work(slice: () => boolean): void {
    if (!this.#options.isWaiting) return this.#host.addWork(slice);
    while (!this.#hasEnded && slice());
  }

  #end(failure: string | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (failure !== undefined) this.#sender.abort();
    this.#options.ended(failure);
  }
}
