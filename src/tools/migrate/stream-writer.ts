/**
 * A master's stream of writes into commands for the target. To a single server it goes as it came. To a cluster each
 * command goes to the owner of its keys: commands that only set or delete keys are split by slot, a transaction stays one
 * where its keys share a slot and is carried out slot by slot otherwise, and what cannot be split is handed to the
 * quarantine.
 */
import { keySlot } from '../../base/index.ts';
import { MasterStream, type StreamTarget, asideWords } from '../../replication/index.ts';
import { Request, encodeRequest } from '../../resp/index.ts';
import { isProgressKey } from '../flow/index.ts';
import type { CommandFitter } from './command-fitter.ts';
import { CommandKeys, type KnownCommand } from './command-keys.ts';
import type { DeferredExpiry } from './deferred-expiry.ts';
import type { KeyFilter } from './key-filter.ts';
import type { LateKeys } from './late-keys.ts';
import { withoutNearExpiry } from './near-expiry.ts';
import { isRepeatable, replacingLibraries } from './repeatable.ts';
import { type Item, NO_SLOT } from './stream-batch.ts';
import type { StreamSender } from './stream-sender.ts';

export interface StreamWriterOptions {
  readonly sender: StreamSender;
  readonly isCluster: boolean;
  readonly deferred: DeferredExpiry;
  /** Keys that commands are late for; undefined: nobody renews any meanwhile. */
  readonly late: LateKeys | undefined;
  readonly targetDb: (sourceDb: number) => number | undefined;
  /** What of it is copied; undefined: everything. */
  readonly filter: KeyFilter | undefined;
  /** Undefined: the target knows all commands as they come. */
  readonly fitter: CommandFitter | undefined;
  /** Whether this stream is all of the source, so that FLUSHALL means all of the target. */
  readonly isAlone: () => boolean;
  readonly quarantine: (args: readonly Buffer[], db: number, reason: string) => void;
  readonly getAck: () => void;
  /** A key of this slot came from another master of the source; undefined: it is taken as it came. */
  readonly onImport: ((slot: number) => void) | undefined;
  /** By slot of the source, offsets up to which its commands are left out. */
  readonly leftOut: ReadonlyMap<number, number>;
  /** From where the stream comes. */
  readonly from: { readonly offset: number; readonly db: number };
  /** By slot of the target, offsets up to which its commands are carried out already. */
  readonly done: ReadonlyMap<number, number>;
}

/** Commands with keys that have nothing to do with each other, and how many arguments belong to each. */
const SPLITTABLE: ReadonlyMap<string, number> = new Map([
  ['del', 1],
  ['unlink', 1],
  ['mset', 2],
  ['msetnx', 2],
]);
/** Sent to every node. */
const FOR_ALL: ReadonlySet<string> = new Set(['script', 'function']);
const FLUSHING: ReadonlySet<string> = new Set(['flushall', 'flushdb']);
/** Give a key the expiry time of another, which may be a shifted one. */
const CARRYING: ReadonlySet<string> = new Set(['rename', 'renamenx', 'copy']);

/** How a master stores what MIGRATE brings it. */
const IMPORT = 'restore-asking';

/** A command of an open transaction. */
interface Held {
  readonly bytes: Buffer;
  readonly slot: number;
  readonly db: number;
}

export class StreamWriter implements StreamTarget {
  commandCount = 0;
  /** Transactions whose keys were in several slots. */
  brokenTransactions = 0;
  isInTransaction = false;
  readonly #options: StreamWriterOptions;
  readonly #stream: MasterStream = new MasterStream(this);
  readonly #keys: CommandKeys = new CommandKeys();
  readonly #changed: Request = new Request();
  readonly #changedAgain: Request = new Request();
  readonly #topDone: number;
  #sourceDb: number;
  /** Source offset behind the last whole command or transaction, and bytes that were run since. */
  #offset: number;
  #openBytes = 0;
  #held: Held[] = [];

  constructor(options: StreamWriterOptions) {
    this.#options = options;
    this.#sourceDb = options.from.db;
    this.#offset = options.from.offset;
    this.#topDone = Math.max(0, ...options.done.values());
  }

  /** Behind the last whole command or transaction. */
  get position(): { readonly offset: number; readonly db: number } {
    return { offset: this.#offset, db: this.#sourceDb };
  }

  /** Takes more of the stream; says why it is none, if so. */
  push(bytes: Buffer): string | undefined {
    return this.#stream.push(bytes, 0, bytes.length);
  }

  applied(_buf: Buffer, _at: number, size: number): void {
    this.#offset += size;
    this.#openBytes = 0;
  }

  getAck(): void {
    this.#options.getAck();
  }

  run(_buf: Buffer, _at: number, size: number, request: Request): void {
    this.commandCount++;
    this.#openBytes += size;
    if (request.argc === 2 && request.is(0, 'select')) {
      this.#sourceDb = Number(request.text(1));
      return;
    }
    if (request.argc === 1 && request.is(0, 'multi')) this.isInTransaction = true;
    else if (request.argc === 1 && request.is(0, 'exec')) return this.#endTransaction();
    // Of a migration into the source.
    else if (request.argc > 1 && isProgressKey(request.buf, request.at[1]!, request.size[1]!))
      return;
    else if (this.#isImport(request)) this.#options.onImport?.(slotOf(request, 1));
    else if (request.argc === 2 && request.is(0, 'ping')) this.#noteMoves(request.text(1));
    // What a Valkey says to its replicas of its own moves.
    else if (request.argc > 2 && request.is(0, 'cluster')) return;
    else if (this.#options.leftOut.size > 0 && this.#isLeftOut(request)) return;
    else if (
      this.#options.late?.isWatching === true &&
      !this.#isInTime(request, this.#options.late)
    )
      return;
    else if (this.#options.filter !== undefined && !this.#isWhole(request, this.#options.filter))
      return;
    else this.#pass(request);
  }

  #pass(came: Request): void {
    const { fitter, deferred } = this.#options;
    const absolute = this.#instead(came, fitter?.absolute(came));
    const timed = deferred.isPending ? this.#shifted(absolute) : absolute;
    const fitted = fitter?.fit(timed);
    if (fitted?.length !== 0) this.#toTarget(this.#instead(timed, fitted));
  }

  #instead(came: Request, args: readonly (Buffer | string)[] | undefined): Request {
    if (args === undefined) return came;
    const request = came === this.#changed ? this.#changedAgain : this.#changed;
    request.load(args);
    return request;
  }

  #toTarget(came: Request): void {
    const request = came.is(0, 'function') ? this.#replacing(came) : came;
    if (this.#options.isCluster) this.#toCluster(request);
    else this.#toServer(request);
  }

  /** Each master of the source has the same libraries loaded into it, and the target must not refuse the second. */
  #replacing(request: Request): Request {
    const args = replacingLibraries(request);
    return this.#instead(request, args);
  }

  /** The command without an expiry time that is near. */
  #shifted(request: Request): Request {
    const { deferred, targetDb } = this.#options;
    const db = targetDb(this.#sourceDb);
    if (db === undefined) return request;
    const args = withoutNearExpiry(request.text(0).toLowerCase(), request, deferred);
    if (args === undefined) return request;
    deferred.add(db, request.buf, request.at[1]!, request.size[1]!);
    return this.#instead(request, args);
  }

  /** A node of ours says which slots' keys come or go in its stream without being its own. */
  #noteMoves(argument: string): void {
    const { onImport } = this.#options;
    const [verb, ...ends] = asideWords(argument) ?? [];
    if (onImport === undefined || verb?.toLowerCase() !== 'strays') return;
    for (let i = 0; i + 1 < ends.length; i += 2) {
      for (let at = Number(ends[i]); at <= Number(ends[i + 1]); at++) onImport(at);
    }
  }

  #isImport(request: Request): boolean {
    if (this.#options.onImport === undefined || request.size[0] !== IMPORT.length) return false;
    return request.is(0, IMPORT);
  }

  /** A cluster's commands have keys of one slot. */
  #isLeftOut(request: Request): boolean {
    const key = this.#keys.of(request)?.keys[0];
    if (key === undefined) return false;
    return this.#end <= (this.#options.leftOut.get(slotOf(request, key)) ?? 0);
  }

  /** Whether it is to be carried out: not on keys that were copied anew later. */
  #isInTime(request: Request, late: LateKeys): boolean {
    const db = this.#options.targetDb(this.#sourceDb);
    const known = this.#keys.of(request);
    if (db === undefined || known === undefined) return true;
    return late.admits(db, request, known, this.#end);
  }

  /** Whether all of the command is copied; carries out the part that is, where it is one. */
  #isWhole(request: Request, filter: KeyFilter): boolean {
    const known = this.#keys.of(request);
    if (known === undefined) return true;
    const { name, keys } = known;
    if (!filter.admitsCommand(name)) return false;
    const wanted = keys.filter((index) =>
      filter.admits(request.buf, request.at[index]!, request.size[index]!),
    );
    if (wanted.length === keys.length && !FLUSHING.has(name)) return true;
    if (FLUSHING.has(name)) this.#quarantine(request, 'only a part of the keys is copied');
    if (wanted.length === 0) return false;
    const width = SPLITTABLE.get(name);
    if (width === undefined) this.#quarantine(request, 'some of its keys are not copied');
    else this.#split(request, { name, keys: wanted }, width);
    return false;
  }

  /** Behind the command that is run. */
  get #end(): number {
    return this.#offset + this.#openBytes;
  }

  #toServer(request: Request): void {
    const db = this.#options.targetDb(this.#sourceDb);
    if (db === undefined) return;
    this.#noteCarried(request, db);
    const { buf, start, end } = request;
    this.#write({ slot: 0, db, isRepeatable: false }, buf, start, end - start);
  }

  #toCluster(request: Request): void {
    const db = this.#options.targetDb(this.#sourceDb);
    if (db === undefined) return;
    const known = this.#keys.of(request);
    if (known === undefined) return this.#quarantine(request, 'its keys are not known');
    const { keys, name } = known;
    if (keys.length === 0) return this.#withoutKeys(request, known);
    this.#noteCarried(request, db, known);
    const slot = slotOf(request, keys[0]!);
    if (keys.every((index) => slotOf(request, index) === slot)) {
      const { buf, start, end } = request;
      const place = { slot, db, isRepeatable: isRepeatable(name, request) };
      return this.#write(place, buf, start, end - start);
    }
    const width = SPLITTABLE.get(name);
    if (width === undefined) return this.#quarantine(request, 'its keys are in several slots');
    this.#split(request, known, width);
  }

  #withoutKeys(request: Request, { name }: KnownCommand): void {
    const { sender, isAlone } = this.#options;
    const isForAll = FOR_ALL.has(name) || (isAlone() && FLUSHING.has(name));
    if (!isForAll && name !== 'publish') return this.#quarantine(request, 'it has no key');
    const bytes = bytesOf(request);
    const item = { db: 0, isRepeatable: true, offset: this.#end };
    if (isForAll) sender.addToEach(item, bytes);
    // A message reaches the whole cluster from any node.
    else sender.add({ ...item, slot: NO_SLOT }, bytes, 0, bytes.length);
  }

  /** The parts of a command by slot; a single server is one. */
  #split(request: Request, known: KnownCommand, width: number): void {
    const { isCluster, targetDb } = this.#options;
    const db = targetDb(this.#sourceDb);
    if (db === undefined) return;
    // One that was refused is not in the stream, so there is nothing left to be refused.
    const name = known.name === 'msetnx' ? 'mset' : known.name;
    const parts = new Map<number, (Buffer | string)[]>();
    for (const index of known.keys) {
      const slot = isCluster ? slotOf(request, index) : 0;
      const args = parts.get(slot) ?? [name];
      for (let i = 0; i < width; i++) args.push(request.bytes(index + i));
      parts.set(slot, args);
    }
    for (const [slot, args] of parts) {
      const bytes = encodeRequest(args);
      this.#write({ slot, db, isRepeatable: isCluster }, bytes, 0, bytes.length);
    }
  }

  /** Field by field: to spread an object costs more than all the rest of a command. */
  #write(place: Omit<Item, 'offset'>, buf: Buffer, at: number, size: number): void {
    const { slot, db, isRepeatable } = place;
    if (this.isInTransaction) {
      this.#held.push({ slot, db, bytes: Buffer.from(buf.subarray(at, at + size)) });
      return;
    }
    if (this.#isDone(slot)) return;
    this.#options.sender.add({ slot, db, isRepeatable, offset: this.#end }, buf, at, size);
  }

  /** Whether an earlier run carried out what ends here. */
  #isDone(slot: number): boolean {
    return this.#end <= this.#topDone && this.#end <= (this.#options.done.get(slot) ?? 0);
  }

  #endTransaction(): void {
    this.isInTransaction = false;
    const held = this.#held;
    if (held.length === 0) return;
    this.#held = [];
    if (new Set(held.map(({ slot }) => slot)).size > 1) this.brokenTransactions++;
    for (const { bytes, slot, db } of held) {
      if (this.#isDone(slot)) continue;
      const item = { slot, db, isRepeatable: false, offset: this.#end };
      this.#options.sender.add(item, bytes, 0, bytes.length);
    }
  }

  /** A new name takes the expiry time of the old one along. */
  #noteCarried(request: Request, db: number, known?: KnownCommand): void {
    const { deferred } = this.#options;
    if (!deferred.isPending) return;
    const { name, keys } = known ?? this.#keys.of(request) ?? { name: '', keys: [] };
    const to = keys[1];
    if (!CARRYING.has(name) || to === undefined) return;
    deferred.add(db, request.buf, request.at[to]!, request.size[to]!);
    deferred.save();
  }

  #quarantine(request: Request, reason: string): void {
    const args = Array.from({ length: request.argc }, (_, i) => request.copy(i));
    this.#options.quarantine(args, this.#sourceDb, reason);
  }
}

function slotOf(request: Request, index: number): number {
  return keySlot(request.buf, request.at[index]!, request.size[index]!);
}

function bytesOf(request: Request): Buffer {
  return Buffer.from(request.buf.subarray(request.start, request.end));
}
