/**
 * A snapshot into commands: RESTORE with the bytes of the value as they stand; a large value in parts, so that neither
 * we nor the target ever hold it twice.
 */
import { copyBytes, invariant } from '../../base/index.ts';
import type { RequestBuffer } from '../../client/index.ts';
import {
  type Bytes,
  DUMP_FOOTER_BYTES,
  type RdbEntry,
  RdbReader,
  createRawDecoders,
  sealDump,
} from '../../rdb/index.ts';
import { type Abilities, type Fitted, type PayloadFitter, isProgressKey } from '../flow/index.ts';
import type { DeferredExpiry } from './deferred-expiry.ts';
import type { KeyFilter } from './key-filter.ts';
import { failureText } from './rdb-failure-text.ts';
import type { TargetWriter } from './target-writer.ts';
import { ValueParts } from './value-parts.ts';

export type Conflict = 'replace' | 'skip' | 'fail';

export interface SnapshotWriterOptions {
  /** Where commands about a key in a database are written, and those for every node. */
  readonly target: Pick<TargetWriter, 'everyLane' | 'laneOfKey'>;
  readonly deferred: Pick<DeferredExpiry, 'expiryFor' | 'add'>;
  readonly conflict: Conflict;
  /** Database of the target for one of the source; undefined: leave its keys out. */
  readonly targetDb: (sourceDb: number) => number | undefined;
  /** Keys that are copied; undefined: all. */
  readonly filter: KeyFilter | undefined;
  /** What the target can do, and how values are made to suit it. */
  readonly abilities: Abilities;
  readonly fitter: PayloadFitter;
  /** Takes what the target cannot have: the command that is not sent, and why. */
  readonly quarantine: (args: readonly Buffer[], db: number, reason: string) => void;
}

/** Values up to here are restored whole. */
const WHOLE_BYTES_MAX: number = 1024 * 1024;
/** Where an existing key must be left alone, RESTORE has to tell; it takes this at most (`proto-max-bulk-len`). */
const RESTORABLE_BYTES_MAX: number = 500 * 1024 * 1024;
/** The beginning of RESTORE with none, one and two words behind the payload. */
const RESTORE_HEADS: readonly Buffer[] = [4, 5, 6].map((argc) =>
  Buffer.from(`*${argc}\r\n$7\r\nRESTORE\r\n`),
);
const NO_EXPIRY: Buffer = Buffer.from('$1\r\n0\r\n');
const REPLACE: Buffer = Buffer.from('$7\r\nREPLACE\r\n');
const ABSTTL: Buffer = Buffer.from('$6\r\nABSTTL\r\n');

export class SnapshotWriter {
  /** Keys written, and those whose database is left out. */
  keyCount = 0;
  leftOutCount = 0;
  /** What the snapshot has beside keys and is not copied. */
  readonly skipped: Set<string> = new Set();
  /** Database that the stream behind the snapshot has selected. */
  streamDb = 0;
  /** Bytes of the last piece behind the end of the snapshot. */
  restBytes = 0;
  /** Why a key must not be copied without what it has; undefined: there is none such. */
  refusal: string | undefined;
  readonly #options: SnapshotWriterOptions;
  readonly #reader: RdbReader;
  readonly #parts: ValueParts;
  #entry: RdbEntry | undefined;
  /** Where commands about it go. What is sent between two pieces of the snapshot changes that: `undefined` until asked. */
  #place: { readonly out: RequestBuffer | undefined } | undefined;
  #isWhole = false;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    this.#parts = new ValueParts({
      lane: () => this.#lane(),
      abilities: options.abilities,
      keepsExpiry: () => this.#keepsFieldExpiry(),
    });
    const bytesMax = options.conflict === 'replace' ? WHOLE_BYTES_MAX : RESTORABLE_BYTES_MAX;
    const decoders = createRawDecoders((type, value) => this.#restore(type, value), bytesMax);
    this.#reader = new RdbReader(
      {
        sink: this.#parts,
        aux: (name, value) => {
          if (name === 'repl-stream-db') this.streamDb = Number(value);
        },
        begin: (entry) => this.#begin(entry),
        end: () => this.#end(),
        library: (code) => this.#library(code),
        skipped: (what) => this.skipped.add(what),
      },
      decoders,
    );
  }

  /** Takes the next bytes of the snapshot; says what is wrong with them, if so. */
  push(bytes: Buffer): string | undefined {
    this.#place = undefined;
    this.restBytes = bytes.length - this.#reader.push(bytes, 0, bytes.length);
    const { failure } = this.#reader;
    return failure === undefined ? undefined : failureText(failure);
  }

  get isDone(): boolean {
    return this.#reader.state === 'done';
  }

  #begin(entry: RdbEntry): undefined {
    this.#entry = entry;
    this.#isWhole = false;
    this.#place = undefined;
    this.#parts.begin(entry.key);
    return undefined;
  }

  /** A library of functions, which every node has. */
  #library({ buf, at, size }: Bytes): undefined {
    const { conflict, filter, target, abilities } = this.#options;
    if (filter?.admitsCommand('function') === false) return undefined;
    const replaces = conflict === 'replace';
    if (!abilities.knows('function')) {
      const words = ['FUNCTION', 'LOAD'].map((word) => Buffer.from(word));
      const code = Buffer.from(buf.subarray(at, at + size));
      const reason = `${abilities.product} has no functions`;
      this.#options.quarantine([...words, code], 0, reason);
      return undefined;
    }
    for (const out of target.everyLane()) {
      out.begin(replaces ? 4 : 3);
      out.word('FUNCTION');
      out.word('LOAD');
      if (replaces) out.word('REPLACE');
      out.argument(buf, at, size);
    }
    return undefined;
  }

  #lane(): RequestBuffer | undefined {
    this.#place ??= { out: this.#choose() };
    return this.#place.out;
  }

  #choose(): RequestBuffer | undefined {
    invariant(this.#entry !== undefined, 'a value is written after its key was read');
    const { dbIndex, key } = this.#entry;
    const db = this.#options.targetDb(dbIndex);
    if (db === undefined || isProgressKey(key.buf, key.at, key.size)) return undefined;
    if (this.#options.filter?.admits(key.buf, key.at, key.size) === false) return undefined;
    return this.#options.target.laneOfKey(db, key.buf, key.at, key.size);
  }

  /** Milliseconds for RESTORE and PEXPIREAT; 0 for a key that stays. */
  #expiry({ dbIndex, key, expireAtUnixMs }: RdbEntry): number {
    if (expireAtUnixMs < 0) return 0;
    const { deferred, targetDb } = this.#options;
    const time = deferred.expiryFor(expireAtUnixMs);
    if (time !== expireAtUnixMs) deferred.add(targetDb(dbIndex) ?? 0, key.buf, key.at, key.size);
    return time;
  }

  #restore(type: number, value: Bytes): void {
    this.#isWhole = true;
    const entry = this.#entry;
    invariant(entry !== undefined, 'a value follows its key');
    if (this.#lane() === undefined) return;
    const fitted = this.#options.fitter.fit(type, value);
    if (fitted.kind === 'fitted') this.#write(entry, fitted);
    else if (fitted.isFieldExpiry) this.#refuse(entry, fitted.reason);
    else this.#putAside(entry, fitted.reason);
  }

  #write(entry: RdbEntry, { type, version, value }: Fitted): void {
    const out = this.#lane();
    if (out === undefined) return;
    const replaces = this.#options.conflict === 'replace';
    const { hasAbsoluteTtl } = this.#options.abilities;
    const time = this.#expiry(entry);
    const isTimed = time > 0 && (hasAbsoluteTtl || !replaces);
    const more = (replaces ? 1 : 0) + (isTimed && hasAbsoluteTtl ? 1 : 0);
    const head = RESTORE_HEADS[more]!;
    out.raw(head, 0, head.length, 1);
    out.argument(entry.key.buf, entry.key.at, entry.key.size);
    if (!isTimed) out.raw(NO_EXPIRY, 0, NO_EXPIRY.length, 0);
    else out.word(String(hasAbsoluteTtl ? time : Math.max(1, time - Date.now())));
    const at = out.blank(1 + value.size + DUMP_FOOTER_BYTES);
    out.bytes[at] = type;
    copyBytes(value.buf, value.at, out.bytes, at + 1, value.size);
    sealDump(out.bytes, at, at + 1 + value.size, version);
    if (replaces) out.raw(REPLACE, 0, REPLACE.length, 0);
    if (isTimed && hasAbsoluteTtl) out.raw(ABSTTL, 0, ABSTTL.length, 0);
    if (time > 0 && !isTimed) this.#expireAt(entry, time);
  }

  #putAside({ dbIndex, key }: RdbEntry, reason: string): void {
    const name = Buffer.from(key.buf.subarray(key.at, key.at + key.size));
    this.#options.quarantine([Buffer.from('RESTORE'), name], dbIndex, reason);
  }

  #refuse({ key }: RdbEntry, reason: string): void {
    const name = key.buf.toString('utf8', key.at, key.at + key.size);
    this.refusal ??= `${JSON.stringify(name)}: ${reason}`;
  }

  /** Whether a field of a large value keeps its expiry. */
  #keepsFieldExpiry(): boolean {
    const { abilities, fitter } = this.#options;
    if (abilities.hasFieldExpiry || this.#lane() === undefined) return true;
    const refused = fitter.dropField();
    if (refused !== undefined && this.#entry !== undefined) {
      this.#refuse(this.#entry, refused.reason);
    }
    return false;
  }

  #expireAt({ key }: RdbEntry, unixMs: number): void {
    const out = this.#lane();
    if (out === undefined) return;
    out.begin(3);
    out.word('PEXPIREAT');
    out.argument(key.buf, key.at, key.size);
    out.word(String(unixMs));
  }

  #end(): void {
    const entry = this.#entry;
    invariant(entry !== undefined, 'a value ends after its key');
    const out = this.#lane();
    if (out === undefined) {
      if (this.#options.targetDb(entry.dbIndex) === undefined) this.leftOutCount++;
      return;
    }
    this.keyCount++;
    if (this.#isWhole) return;
    this.#parts.finish();
    const time = this.#expiry(entry);
    if (time > 0) this.#expireAt(entry, time);
  }
}
