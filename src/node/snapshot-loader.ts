/** Takes a master's snapshot into a keyspace of its own, so that our data stays until all of it is there. */
import { type Keyspace, NO_EXPIRY } from '../keyspace/index.ts';
import { type RdbEntry, type RdbFailure, RdbReader } from '../rdb/index.ts';

export class SnapshotLoader {
  /** What was loaded so far. */
  readonly keyspace: Keyspace;
  /** Database that the stream after the snapshot has selected. */
  streamDb = 0;
  readonly #reader: RdbReader;
  #problem: string | undefined;

  /** `keyspace`: empty, of the shape of the node's own. */
  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
    keyspace.expiryMode = 'ignore';
    this.#reader = new RdbReader({
      aux: (name, value) => {
        if (name === 'repl-stream-db') this.streamDb = Number(value);
      },
      selectDb: (index) => this.#checkDb(index),
      entry: (entry) => this.#add(entry),
    });
  }

  /** Takes the next bytes; says why the snapshot cannot be loaded, if so. */
  push(buf: Buffer, at: number, size: number): string | undefined {
    if (this.#problem === undefined) {
      this.#reader.push(buf, at, size);
      const { failure } = this.#reader;
      if (failure !== undefined) this.#problem ??= failureText(failure);
    }
    return this.#problem;
  }

  /** All bytes were given; says why they are no snapshot, if so. */
  finish(): string | undefined {
    if (this.#problem !== undefined || this.#reader.state === 'done') return this.#problem;
    return 'Unexpected end of the snapshot';
  }

  #checkDb(index: number): void {
    const count = this.keyspace.databases.length;
    if (index < count) return;
    this.#problem ??= `the snapshot has keys in database ${index}, and "databases" is ${count} here`;
  }

  #add(entry: RdbEntry): void {
    if (this.#problem !== undefined) return;
    const { key, value } = entry;
    const db = this.keyspace.db(entry.dbIndex);
    const expiry = entry.expireAtUnixMs < 0 ? NO_EXPIRY : entry.expireAtUnixMs;
    const ref = db.setString(key.buf, key.at, key.size, value, expiry);
    const { kind } = this.keyspace.recency;
    if (entry.idleSeconds >= 0 && kind === 'lru') db.setIdleSeconds(ref, entry.idleSeconds);
    if (entry.freq >= 0 && kind === 'lfu') db.setFrequency(ref, entry.freq);
  }
}

function failureText(failure: RdbFailure): string {
  if (failure.kind !== 'unsupported') return failure.reason;
  const key = failure.key.toString('latin1').replaceAll(/[^ -~]/g, '?');
  return `the key "${key}" holds a ${failure.what}, which is not supported yet. The data here stays as it was`;
}
