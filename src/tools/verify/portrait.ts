/**
 * A value as what its users see of it, whatever its encoding: named parts. Of a hash these are its fields, of a sorted
 * set the members with their scores, of a list the elements by index, of a stream its entries, groups, consumers and
 * pending entries. Two values are equal when their portraits are. Names and texts hold one byte a character.
 */
import {
  type Bytes,
  type ContainerKind,
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  type StreamFacts,
  type StreamId,
  type ValueDecoders,
  TYPE_MODULE_2,
  type ValueSink,
  createDecoders,
  createForeignDecoders,
  decodeDump,
  intsetCount,
  intsetGet,
  intsetWidth,
  isListpackEnd,
  parseScore,
} from '../../rdb/index.ts';

export type ValueType = 'string' | 'stream' | ContainerKind;

export interface Portrait {
  readonly type: ValueType;
  readonly parts: ReadonlyMap<string, string>;
}

const ENTRY_DELETED = 1;
const ENTRY_SAME_FIELDS = 2;
/** Between the words of a stream's part; no name of a part has it first. */
const GAP = ' ';

/** Makes portraits of DUMP payloads; one object for many. */
export class PortraitPainter {
  readonly #decoders: ValueDecoders = new Map([...createDecoders(), ...createForeignDecoders()]);
  readonly #seesFieldExpiry: boolean;

  /** `seesFieldExpiry`: whether it counts when fields expire. */
  constructor(seesFieldExpiry: boolean) {
    this.#seesFieldExpiry = seesFieldExpiry;
  }

  /** Undefined for a payload of a type that is not known here. */
  paint(buf: Buffer, at: number, size: number): Portrait | undefined {
    // Of a module's value only the end is known.
    if (buf[at] === TYPE_MODULE_2) return undefined;
    const sink = new PortraitSink(this.#seesFieldExpiry);
    const flaw = decodeDump(buf, at, size, sink, this.#decoders);
    return flaw === undefined ? sink : undefined;
  }
}

/** A score as portraits have it, whoever wrote it. Undefined is for what is no score. */
export function scoreText(buf: Buffer): string {
  return String(parseScore(buf, 0, buf.length));
}

class PortraitSink implements ValueSink, Portrait {
  type: ValueType = 'string';
  readonly parts: Map<string, string> = new Map();
  readonly #reader: ListpackReader = new ListpackReader();
  #count = 0;
  #group = '';
  #consumer = '';
  readonly #deliveries: Map<string, string> = new Map();
  readonly #seesFieldExpiry: boolean;

  constructor(seesFieldExpiry: boolean) {
    this.#seesFieldExpiry = seesFieldExpiry;
  }

  string(value: Bytes): void {
    this.parts.set('', textOf(value));
  }

  container(kind: ContainerKind): void {
    this.type = kind;
  }

  element(value: Bytes): boolean {
    if (this.type === 'set') return this.#add(textOf(value), '');
    return this.#add(String(this.#count++), textOf(value));
  }

  field(name: Bytes, value: Bytes): boolean {
    return this.#add(textOf(name), textOf(value));
  }

  expiringField(name: Bytes, value: Bytes, expireAtUnixMs: number): boolean {
    if (this.#seesFieldExpiry) {
      this.#add(fieldExpiryPart(textOf(name)), String(expireAtUnixMs));
    }
    return this.field(name, value);
  }

  scored(member: Bytes, score: number): boolean {
    return this.#add(textOf(member), String(score));
  }

  listpack(kind: ContainerKind, blob: Bytes): void {
    this.type = kind;
    const elements = this.#elements(blob);
    if (kind === 'list') {
      for (const element of elements) this.#add(String(this.#count++), element);
    } else if (kind === 'set') {
      for (const element of elements) this.#add(element, '');
    } else {
      for (let i = 0; i + 1 < elements.length; i += 2) {
        const value = elements[i + 1]!;
        this.#add(elements[i]!, kind === 'zset' ? scoreText(Buffer.from(value, 'latin1')) : value);
      }
    }
  }

  intset(blob: Bytes): void {
    this.type = 'set';
    const width = intsetWidth(blob.buf, blob.at);
    for (let i = 0; i < intsetCount(blob.buf, blob.at); i++) {
      this.#add(String(intsetGet(blob.buf, blob.at, width, i)), '');
    }
  }

  stream(): void {
    this.type = 'stream';
  }

  streamNode(id: StreamId, blob: Bytes): void {
    const elements = this.#elements(blob);
    const names = elements.slice(3, 3 + Number(elements[2]));
    const ms = id.buf.readBigUInt64BE(id.at);
    const seq = id.buf.readBigUInt64BE(id.at + 8);
    let at = 4 + names.length;
    while (at < elements.length) {
      const flags = Number(elements[at]);
      const name = `${ms + BigInt(elements[at + 1]!)}-${seq + BigInt(elements[at + 2]!)}`;
      at += 3;
      const isSame = (flags & ENTRY_SAME_FIELDS) !== 0;
      const count = isSame ? names.length : Number(elements[at++]);
      const words: string[] = [];
      for (let i = 0; i < count; i++) {
        words.push(isSame ? names[i]! : elements[at++]!, elements[at++]!);
      }
      // Behind each entry stands how many elements it takes.
      at++;
      if ((flags & ENTRY_DELETED) === 0) this.#add(name, entryText(words));
    }
  }

  streamFacts(facts: StreamFacts): void {
    this.#add(LAST_ID, idText(facts.lastId));
  }

  streamGroup(name: Bytes, lastId: StreamId): boolean {
    this.#group = textOf(name);
    this.#deliveries.clear();
    return this.#add(groupPart(this.#group), idText(lastId));
  }

  streamPending(id: StreamId, _deliveredAt: number | bigint, count: number | bigint): boolean {
    this.#deliveries.set(idText(id), String(count));
    return true;
  }

  streamConsumer(name: Bytes): boolean {
    this.#consumer = textOf(name);
    return this.#add(consumerPart(this.#group, this.#consumer), '');
  }

  streamConsumerPending(id: StreamId): boolean {
    const entry = idText(id);
    const count = this.#deliveries.get(entry) ?? '';
    return this.#add(pendingPart(this.#group, entry), pendingText(this.#consumer, count));
  }

  streamGroupEnd(): boolean {
    return true;
  }

  #add(name: string, text: string): boolean {
    if (this.parts.has(name)) return false;
    this.parts.set(name, text);
    return true;
  }

  #elements({ buf, at }: Bytes): string[] {
    const reader = this.#reader;
    const elements: string[] = [];
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      pos = reader.read(buf, pos);
      const bytes = Buffer.from(reader.buf.buffer, reader.buf.byteOffset + reader.at, reader.size);
      elements.push(bytes.toString('latin1'));
    }
    return elements;
  }
}

/** The part that says when a field of a hash expires, Unix milliseconds; there is none where it does not. */
export function fieldExpiryPart(field: string): string {
  return `${GAP}expiry of ${JSON.stringify(field)}`;
}

/** Names and texts of the parts of a stream. */
export const LAST_ID: string = `${GAP}last id`;

export function groupPart(group: string): string {
  return `${GAP}group ${JSON.stringify(group)}`;
}

export function consumerPart(group: string, consumer: string): string {
  return `${GAP}consumer ${JSON.stringify([group, consumer])}`;
}

export function pendingPart(group: string, id: string): string {
  return `${GAP}pending ${JSON.stringify([group, id])}`;
}

export function pendingText(consumer: string, deliveryCount: string): string {
  return `${consumer}, delivered ${deliveryCount} times`;
}

/** Fields and values of an entry of a stream, each with its size before it, so that no two entries look the same. */
export function entryText(words: readonly string[]): string {
  return words.map((word) => `${word.length}:${word}`).join(GAP);
}

function idText({ buf, at }: StreamId): string {
  return `${buf.readBigUInt64BE(at)}-${buf.readBigUInt64BE(at + 8)}`;
}

function textOf({ buf, at, size }: Bytes): string {
  return buf.toString('latin1', at, at + size);
}
