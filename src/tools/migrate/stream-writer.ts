/**
 * A master's stream of writes into commands for the target. To a single server it goes as it came. To a cluster each
 * command goes to the owner of its keys: commands that only set or delete keys are split by slot, a transaction stays one
 * where its keys share a slot and is carried out command by command otherwise, and what cannot be split is handed to the
 * quarantine.
 */
import { keySlot } from '../../base/index.ts';
import { MasterStream, type StreamTarget } from '../../replication/index.ts';
import { type Request, encodeRequest } from '../../resp/index.ts';
import { CommandKeys, type KnownCommand } from './command-keys.ts';
import type { DeferredExpiry } from './deferred-expiry.ts';
import type { TargetWriter } from './target-writer.ts';

export interface StreamWriterOptions {
  readonly target: TargetWriter;
  readonly deferred: DeferredExpiry;
  readonly targetDb: (sourceDb: number) => number | undefined;
  /** Whether this stream is all of the source, so that FLUSHALL means all of the target. */
  readonly isAlone: boolean;
  readonly quarantine: (args: readonly Buffer[], db: number, reason: string) => void;
  readonly getAck: () => void;
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

/** A command with all that is needed to send it later. */
interface Held {
  readonly bytes: Buffer;
  readonly slot: number;
}

export class StreamWriter implements StreamTarget {
  commandCount = 0;
  /** Transactions whose keys were in several slots. */
  brokenTransactions = 0;
  /** Bytes of the stream that were carried out, whole commands and transactions. */
  appliedBytes = 0;
  isInTransaction = false;
  readonly #options: StreamWriterOptions;
  readonly #stream: MasterStream = new MasterStream(this);
  readonly #keys: CommandKeys = new CommandKeys();
  readonly #isCluster: boolean;
  #sourceDb: number;
  #held: Held[] = [];

  constructor(options: StreamWriterOptions, streamDb: number) {
    this.#options = options;
    this.#isCluster = options.target.deployment.isCluster;
    this.#sourceDb = streamDb;
  }

  /** Takes more of the stream; says why it is none, if so. */
  push(bytes: Buffer): string | undefined {
    return this.#stream.push(bytes, 0, bytes.length);
  }

  applied(_buf: Buffer, _at: number, size: number): void {
    this.appliedBytes += size;
  }

  getAck(): void {
    this.#options.getAck();
  }

  run(buf: Buffer, at: number, size: number, request: Request): void {
    this.commandCount++;
    if (request.argc === 2 && request.is(0, 'select')) {
      this.#sourceDb = Number(request.text(1));
      return;
    }
    if (request.argc === 1 && request.is(0, 'multi')) this.isInTransaction = true;
    else if (request.argc === 1 && request.is(0, 'exec')) return this.#endTransaction();
    else if (this.#isCluster) this.#toCluster(request);
    else this.#toServer(buf, at, size, request);
  }

  /** Sent at once: nothing else is written to the connection before EXEC, because each stream has its own. */
  #toServer(buf: Buffer, at: number, size: number, request: Request): void {
    const db = this.#options.targetDb(this.#sourceDb);
    if (db === undefined) return;
    const out = this.#options.target.lane(0, db);
    if (this.isInTransaction && this.#held.length === 0) {
      out.raw(MULTI, 0, MULTI.length, 1);
      this.#held.push({ bytes: MULTI, slot: 0 });
    }
    this.#noteCarried(request, db);
    out.raw(buf, at, size, 1);
  }

  #toCluster(request: Request): void {
    const db = this.#options.targetDb(this.#sourceDb);
    if (db === undefined) return;
    const known = this.#keys.of(request);
    if (known === undefined) return this.#quarantine(request, 'its keys are not known');
    if (known.keys.length === 0) return this.#withoutKeys(request, known);
    this.#noteCarried(request, db, known);
    const slots = new Set(known.keys.map((index) => slotOf(request, index)));
    if (slots.size === 1) {
      const [slot = 0] = slots;
      return this.#write({ bytes: bytesOf(request), slot });
    }
    const width = SPLITTABLE.get(known.name);
    if (width === undefined) return this.#quarantine(request, 'its keys are in several slots');
    this.#split(request, known, slots, width);
  }

  #withoutKeys(request: Request, { name }: KnownCommand): void {
    const { target, isAlone } = this.#options;
    const isForAll = FOR_ALL.has(name) || (isAlone && FLUSHING.has(name));
    if (!isForAll && name !== 'publish') return this.#quarantine(request, 'it has no key');
    const bytes = bytesOf(request);
    // A message reaches the whole cluster from any node.
    const nodes = isForAll ? target.nodeCount : 1;
    for (let node = 0; node < nodes; node++) target.lane(node, 0).raw(bytes, 0, bytes.length, 1);
  }

  #split(request: Request, known: KnownCommand, slots: ReadonlySet<number>, width: number): void {
    // One that was refused is not in the stream, so there is nothing left to be refused.
    const name = known.name === 'msetnx' ? 'mset' : known.name;
    for (const slot of slots) {
      const args: (Buffer | string)[] = [name];
      for (const index of known.keys) {
        if (slotOf(request, index) !== slot) continue;
        for (let i = 0; i < width; i++) args.push(request.bytes(index + i));
      }
      this.#write({ bytes: encodeRequest(args), slot });
    }
  }

  #write(command: Held): void {
    if (this.isInTransaction) this.#held.push(command);
    else this.#send(command);
  }

  #send({ bytes, slot }: Held): void {
    const { target } = this.#options;
    target.lane(target.deployment.ownerOfSlot(slot), 0).raw(bytes, 0, bytes.length, 1);
  }

  #endTransaction(): void {
    this.isInTransaction = false;
    const held = this.#held;
    this.#held = [];
    if (held.length === 0) return;
    const { target, targetDb } = this.#options;
    if (!this.#isCluster) {
      target.lane(0, targetDb(this.#sourceDb) ?? 0).raw(EXEC, 0, EXEC.length, 1);
      return;
    }
    const slots = new Set(held.map(({ slot }) => slot));
    const isOne = slots.size === 1;
    if (!isOne) this.brokenTransactions++;
    const slot = held[0]?.slot ?? 0;
    if (isOne) this.#send({ bytes: MULTI, slot });
    for (const command of held) this.#send(command);
    if (isOne) this.#send({ bytes: EXEC, slot });
  }

  /** A new name takes the expiry time of the old one along. */
  #noteCarried(request: Request, db: number, known?: KnownCommand): void {
    const { deferred } = this.#options;
    if (deferred.count === 0) return;
    const { name, keys } = known ?? this.#keys.of(request) ?? { name: '', keys: [] };
    const to = keys[1];
    if (!CARRYING.has(name) || to === undefined) return;
    deferred.add(db, request.buf, request.at[to]!, request.size[to]!);
  }

  #quarantine(request: Request, reason: string): void {
    const args = Array.from({ length: request.argc }, (_, i) => request.copy(i));
    this.#options.quarantine(args, this.#sourceDb, reason);
  }
}

const MULTI: Buffer = encodeRequest(['MULTI']);
const EXEC: Buffer = encodeRequest(['EXEC']);

function slotOf(request: Request, index: number): number {
  return keySlot(request.buf, request.at[index]!, request.size[index]!);
}

function bytesOf(request: Request): Buffer {
  return Buffer.from(request.buf.subarray(request.start, request.end));
}
