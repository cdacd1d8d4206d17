/** Cuts the stream of this node's writes into units that change data together, with the keys of each. */
import { keySlot, splitArguments } from '../base/index.ts';
import type { CommandTable } from '../commands/index.ts';
import { PARSED, Request, RequestParser } from '../resp/index.ts';

export interface StreamKey {
  readonly key: Buffer;
  readonly slot: number;
}

export interface StreamCommand {
  readonly bytes: Buffer;
  readonly keys: readonly StreamKey[];
}

export interface StreamListener {
  /** What they changed is in the keyspace already. */
  changed(unit: readonly StreamCommand[]): void;
  /** All keys went. */
  flushed(): void;
}

const FLUSHES: ReadonlySet<string> = new Set(['flushall', 'flushdb']);

export class SlotStream {
  readonly #table: CommandTable;
  readonly #listener: StreamListener;
  readonly #request: Request = new Request();
  readonly #parser: RequestParser = new RequestParser({
    bulkBytesMax: Number.MAX_SAFE_INTEGER,
    splitInline: splitArguments,
  });
  /** Between MULTI and EXEC. */
  #unit: StreamCommand[] | undefined;

  constructor(table: CommandTable, listener: StreamListener) {
    this.#table = table;
    this.#listener = listener;
  }

  push(buf: Buffer, at: number, size: number): void {
    const request = this.#request;
    if (this.#parser.parse(request, buf, at, at + size) !== PARSED) return;
    const main = this.#table.find(request);
    const command =
      main?.isContainer === true ? main.subcommands.get(request.text(1).toLowerCase()) : main;
    if (command === undefined) return;
    if (command.fullName === 'multi') this.#unit = [];
    else if (command.fullName === 'exec') this.#end();
    else if (FLUSHES.has(command.fullName)) this.#listener.flushed();
    else if (command.hasKeys) {
      const keys = (command.keyIndexes(request) ?? []).map((index) => {
        const key = request.copy(index);
        return { key, slot: keySlot(key, 0, key.length) };
      });
      const bytes = Buffer.from(buf.subarray(at, at + size));
      if (this.#unit !== undefined) this.#unit.push({ bytes, keys });
      else this.#listener.changed([{ bytes, keys }]);
    }
  }

  #end(): void {
    const unit = this.#unit ?? [];
    this.#unit = undefined;
    if (unit.length > 0) this.#listener.changed(unit);
  }
}
