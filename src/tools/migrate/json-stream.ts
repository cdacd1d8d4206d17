/** A stream as JSON: its entries, each an id with fields and values, then what it says of itself and its groups. */
import {
  type Bytes,
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  type StreamFacts,
  type StreamId,
} from '../../rdb/index.ts';
import { jsonText } from './json-text.ts';

const FLAG_DELETED = 1;
const FLAG_SAME_FIELDS = 2;

interface Consumer {
  readonly name: string;
  readonly pending: string[];
}

export class JsonStream {
  readonly #put: (text: string) => void;
  readonly #reader: ListpackReader = new ListpackReader();
  #buf: Buffer = Buffer.alloc(0);
  #pos = 0;
  #hasEntries = false;
  #groups = 0;
  #head = '';
  #pending: string[] = [];
  #consumers: Consumer[] = [];

  constructor(put: (text: string) => void) {
    this.#put = put;
  }

  begin(): void {
    this.#hasEntries = false;
    this.#groups = 0;
  }

  /** Entries of a sound listpack; their ids count from the node's. */
  node(id: StreamId, { buf, at }: Bytes): void {
    const [ms, seq] = [id.buf.readBigUInt64BE(id.at), id.buf.readBigUInt64BE(id.at + 8)];
    this.#buf = buf;
    this.#pos = at + LISTPACK_HEADER_BYTES;
    const count = this.#int() + this.#int();
    const names = Array.from({ length: this.#int() }, () => this.#text());
    this.#int();
    for (let i = 0; i < count; i++) {
      const flags = this.#int();
      const entryId = `${ms + this.#wide()}-${seq + this.#wide()}`;
      const isSame = (flags & FLAG_SAME_FIELDS) !== 0;
      const fieldCount = isSame ? names.length : this.#int();
      const pairs: string[] = [];
      for (let field = 0; field < fieldCount; field++) {
        pairs.push(isSame ? (names[field] ?? '') : this.#text(), this.#text());
      }
      this.#int();
      if ((flags & FLAG_DELETED) !== 0) continue;
      this.#put(`${this.#hasEntries ? ',' : ''}["${entryId}",[${pairs.join(',')}]]`);
      this.#hasEntries = true;
    }
  }

  facts({ lastId, maxDeletedId, entriesAdded }: StreamFacts): void {
    this.#put(
      `],"lastId":"${idText(lastId)}","maxDeletedId":"${idText(maxDeletedId)}","entriesAdded":${entriesAdded},"groups":[`,
    );
  }

  group(name: Bytes, lastId: StreamId, entriesRead: number | bigint): true {
    this.#head = `{"name":${jsonText(name)},"lastId":"${idText(lastId)}","entriesRead":${entriesRead}`;
    this.#pending = [];
    this.#consumers = [];
    return true;
  }

  pending(id: StreamId, atUnixMs: number | bigint, count: number | bigint): true {
    this.#pending.push(`["${idText(id)}",${atUnixMs},${count}]`);
    return true;
  }

  consumer(name: Bytes): true {
    this.#consumers.push({ name: jsonText(name), pending: [] });
    return true;
  }

  consumerPending(id: StreamId): true {
    this.#consumers.at(-1)?.pending.push(`"${idText(id)}"`);
    return true;
  }

  groupEnd(): true {
    const consumers = this.#consumers.map(
      ({ name, pending }) => `{"name":${name},"pending":[${pending.join(',')}]}`,
    );
    this.#put(
      `${this.#groups++ === 0 ? '' : ','}${this.#head},"pending":[${this.#pending.join(',')}],"consumers":[${consumers.join(',')}]}`,
    );
    return true;
  }

  #read(): ListpackReader {
    this.#pos = this.#reader.read(this.#buf, this.#pos);
    return this.#reader;
  }

  #text(): string {
    return jsonText(this.#read());
  }

  #wide(): bigint {
    const { buf, at, size } = this.#read();
    return BigInt(Buffer.from(buf.buffer, buf.byteOffset + at, size).toString('latin1'));
  }

  #int(): number {
    return Number(this.#wide());
  }
}

function idText({ buf, at }: StreamId): string {
  return `${buf.readBigUInt64BE(at)}-${buf.readBigUInt64BE(at + 8)}`;
}
