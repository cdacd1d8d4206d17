/** For tests: takes values as plain data. */
import { ListpackReader, isListpackEnd, LISTPACK_HEADER_BYTES } from './listpack.ts';
import type { Bytes, ContainerKind, StreamFacts, StreamId, ValueSink } from './value.ts';

const text = ({ buf, at, size }: Bytes): string => buf.toString('latin1', at, at + size);
const idText = ({ buf, at }: StreamId): string =>
  `${buf.readBigUInt64BE(at)}-${buf.readBigUInt64BE(at + 8)}`;

type Count = number | bigint;

export interface PlainGroup {
  readonly name: string;
  readonly lastId: string;
  readonly entriesRead: Count;
  readonly pending: Map<string, { at: Count; count: Count; owner?: string }>;
  readonly consumers: Map<string, readonly [seenAt: Count, activeAt: Count]>;
}

export type PlainValue =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'list' | 'set'; readonly elements: string[] }
  | { readonly kind: 'hash'; readonly fields: Map<string, string> }
  | { readonly kind: 'zset'; readonly scores: Map<string, number> }
  | {
      readonly kind: 'stream';
      readonly nodes: [id: string, elements: string[]][];
      facts?: Record<string, string | Count>;
      readonly groups: PlainGroup[];
    };

export class PlainSink implements ValueSink {
  value: PlainValue | undefined;
  #consumer = '';

  string(value: Bytes): void {
    this.value = { kind: 'string', text: text(value) };
  }

  container(kind: ContainerKind): void {
    if (kind === 'hash') this.value = { kind, fields: new Map() };
    else if (kind === 'zset') this.value = { kind, scores: new Map() };
    else this.value = { kind, elements: [] };
  }

  element(value: Bytes): boolean {
    if (this.value?.kind !== 'list' && this.value?.kind !== 'set') return false;
    if (this.value.kind === 'set' && this.value.elements.includes(text(value))) return false;
    this.value.elements.push(text(value));
    return true;
  }

  field(name: Bytes, value: Bytes): boolean {
    if (this.value?.kind !== 'hash' || this.value.fields.has(text(name))) return false;
    this.value.fields.set(text(name), text(value));
    return true;
  }

  scored(member: Bytes, score: number): boolean {
    if (this.value?.kind !== 'zset' || this.value.scores.has(text(member))) return false;
    this.value.scores.set(text(member), score);
    return true;
  }

  listpack(kind: ContainerKind, blob: Bytes): void {
    const elements = elementsOf(blob);
    if (kind !== 'list') this.container(kind);
    if (this.value?.kind === 'list') this.value.elements.push(...elements);
    for (let i = 0; i + 1 < elements.length; i += 2) {
      const [name, value] = [elements[i]!, elements[i + 1]!];
      if (this.value?.kind === 'hash') this.value.fields.set(name, value);
      if (this.value?.kind === 'zset') this.value.scores.set(name, Number(value));
    }
  }

  intset({ buf, at, size }: Bytes): void {
    const elements: string[] = [];
    const width = buf.readUInt32LE(at);
    for (let i = at + 8; i < at + size; i += width) {
      elements.push(String(width === 8 ? buf.readBigInt64LE(i) : buf.readIntLE(i, width)));
    }
    this.value = { kind: 'set', elements };
  }

  stream(): void {
    this.value = { kind: 'stream', nodes: [], groups: [] };
  }

  streamNode(id: StreamId, blob: Bytes): void {
    if (this.value?.kind === 'stream') this.value.nodes.push([idText(id), elementsOf(blob)]);
  }

  streamFacts({ length, lastId, firstId, maxDeletedId, entriesAdded }: StreamFacts): void {
    if (this.value?.kind !== 'stream') return;
    this.value.facts = {
      length,
      lastId: idText(lastId),
      firstId: idText(firstId),
      maxDeletedId: idText(maxDeletedId),
      entriesAdded,
    };
  }

  streamGroup(name: Bytes, lastId: StreamId, entriesRead: Count): boolean {
    if (this.value?.kind !== 'stream') return false;
    const { groups } = this.value;
    if (groups.some((group) => group.name === text(name))) return false;
    groups.push({
      name: text(name),
      lastId: idText(lastId),
      entriesRead,
      pending: new Map(),
      consumers: new Map(),
    });
    return true;
  }

  streamPending(id: StreamId, at: Count, count: Count): boolean {
    const pending = this.#group?.pending;
    if (pending === undefined || pending.has(idText(id))) return false;
    pending.set(idText(id), { at, count });
    return true;
  }

  streamConsumer(name: Bytes, seenAt: Count, activeAt: Count): boolean {
    this.#consumer = text(name);
    if (this.#group?.consumers.has(this.#consumer) !== false) return false;
    this.#group.consumers.set(this.#consumer, [seenAt, activeAt]);
    return true;
  }

  streamConsumerPending(id: StreamId): boolean {
    const entry = this.#group?.pending.get(idText(id));
    if (entry === undefined || entry.owner !== undefined) return false;
    entry.owner = this.#consumer;
    return true;
  }

  streamGroupEnd(): boolean {
    return [...(this.#group?.pending.values() ?? [])].every(({ owner }) => owner !== undefined);
  }

  get #group(): PlainGroup | undefined {
    return this.value?.kind === 'stream' ? this.value.groups.at(-1) : undefined;
  }
}

function elementsOf({ buf, at }: Bytes): string[] {
  const reader = new ListpackReader();
  const elements: string[] = [];
  for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
    pos = reader.read(buf, pos);
    elements.push(Buffer.from(reader.buf).toString('latin1', reader.at, reader.at + reader.size));
  }
  return elements;
}
