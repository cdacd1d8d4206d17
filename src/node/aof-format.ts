/**
 * The base of an append-only file as commands (`aof-use-rdb-preamble no`): those that make each key anew.
 * Source: what BGREWRITEAOF of redis-server 7.0.15 writes.
 */
import { timestampAnnotation } from '../aof/index.ts';
import type { UnixMs } from '../base/index.ts';
import type { Settings } from '../config/index.ts';
import type { Ref, Store } from '../keyspace/index.ts';
import { encodeRequest } from '../resp/index.ts';
import type { SnapshotFormat } from './snapshot-format.ts';
import { type Argument, ValueCommands } from './value-commands.ts';

export interface CommandFormatHost {
  readonly settings: Settings;
  readonly unixNow: UnixMs;
  /** Libraries of functions, by their codes. */
  readonly functions: { readonly codes: readonly string[] };
}

export class CommandFormat implements SnapshotFormat {
  readonly #host: CommandFormatHost;
  #parts: Buffer[] = [];
  #size = 0;
  #dbIndex = -1;
  readonly #libraries: readonly string[];
  readonly #values: ValueCommands = new ValueCommands((...args) => this.#put(...args));

  constructor(host: CommandFormatHost) {
    this.#host = host;
    this.#libraries = host.functions.codes;
  }

  get pendingSize(): number {
    return this.#size;
  }

  lend(): Buffer {
    const lent = Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    return lent;
  }

  begin(): void {
    if (this.#host.settings['aof-timestamp-enabled']) {
      const line = timestampAnnotation(Math.floor(this.#host.unixNow / 1000));
      this.#push(Buffer.from(line, 'latin1'));
    }
    for (const code of this.#libraries) this.#put('FUNCTION', 'LOAD', Buffer.from(code, 'latin1'));
  }

  end(): void {
    // Nothing follows the last command.
  }

  entry(dbIndex: number, store: Store, ref: Ref): void {
    if (dbIndex !== this.#dbIndex) {
      this.#dbIndex = dbIndex;
      this.#put('SELECT', String(dbIndex));
    }
    this.#values.begin(store, ref);
    this.#values.next(Infinity);
  }

  #put(...args: readonly Argument[]): void {
    this.#push(encodeRequest(args));
  }

  #push(part: Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
  }
}
