/** Builds values in a database from the parts that RDB's decoders hand over. */
import { invariant } from '../base/index.ts';
import type { Bytes, ContainerKind, StreamFacts, StreamId, ValueSink } from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import { type Database, NO_EXPIRY } from './database.ts';
import type { BytesView } from './entry.ts';

const NO_BYTES = Buffer.alloc(0);

/** One value at a time, under a key that is not there yet. */
export class ValueLoader implements ValueSink {
  #db: Database | undefined;
  readonly #key: BytesView = { buf: NO_BYTES, at: 0, size: 0 };
  #ref: Ref = NONE;
  #expiry = NO_EXPIRY;

  /**
   * The parts that follow are of this key's value. The key's bytes stay valid until `end` or `discard`. `expiry` is a
   * unix time in milliseconds or NO_EXPIRY. Nothing of it counts as a change.
   */
  begin(db: Database, key: Bytes, expiry: number): void {
    this.#db = db;
    this.#expiry = expiry;
    this.#ref = NONE;
    this.#key.buf = key.buf;
    this.#key.at = key.at;
    this.#key.size = key.size;
  }

  /** The value is whole: its entry. */
  end(): Ref {
    invariant(this.#ref !== NONE, 'a value that is complete is there');
    return this.#ref;
  }

  /** Takes away what was built of a value that proved to be corrupt. */
  discard(): void {
    if (this.#ref === NONE || this.#db === undefined) return;
    this.#db.drop(this.#ref);
    this.#ref = NONE;
  }

  string(value: Bytes): void {
    this.#ref = this.#target.addString(this.#key, value, this.#expiry);
  }

  container(kind: ContainerKind): void {
    invariant(false, `values of type ${kind} have a structure`);
  }

  element(): boolean {
    return false;
  }

  field(): boolean {
    return false;
  }

  scored(): boolean {
    return false;
  }

  listpack(kind: ContainerKind): void {
    this.container(kind);
  }

  intset(): void {
    this.container('set');
  }

  stream(): void {
    invariant(false, 'streams have a structure');
  }

  streamNode(_id: StreamId, _blob: Bytes): void {}

  streamFacts(_facts: StreamFacts): void {}

  streamGroup(): boolean {
    return false;
  }

  streamPending(): boolean {
    return false;
  }

  streamConsumer(): boolean {
    return false;
  }

  streamConsumerPending(): boolean {
    return false;
  }

  streamGroupEnd(): boolean {
    return false;
  }

  get #target(): Database {
    invariant(this.#db !== undefined, 'a value is loaded into a database');
    return this.#db;
  }
}
