/**
 * Keys as lines of JSON: `db`, `key`, `expireAtUnixMs` where it expires, `type` and `value`. Lists and sets are arrays,
 * hashes and sorted sets arrays of pairs, a stream has its entries and groups; what is not UTF-8 is `{"base64": …}`.
 * Written while it is read, so that a large value is never whole in memory.
 */
import { invariant } from '../../base/index.ts';
import {
  type Bytes,
  type ContainerKind,
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  type RdbEntry,
  RdbReader,
  type ValueSink,
  intsetCount,
  intsetGet,
  intsetWidth,
  isListpackEnd,
  parseScore,
} from '../../rdb/index.ts';
import type { FileChoice, FileTarget } from './file-target.ts';
import { JsonStream } from './json-stream.ts';
import { jsonText } from './json-text.ts';
import { failureText } from './rdb-failure-text.ts';

export class JsonTarget implements FileTarget {
  keyCount = 0;
  leftOutCount = 0;
  readonly skipped: Set<string> = new Set();
  readonly #choice: FileChoice;
  readonly #value: JsonValue = new JsonValue();
  #reader: RdbReader | undefined;

  constructor(choice: FileChoice) {
    this.#choice = choice;
  }

  begin(): void {
    this.#reader = new RdbReader({
      sink: this.#value,
      begin: (entry) => this.#begin(entry),
      end: () => this.#value.finish(),
      empty: () => this.#value.drop(),
      skipped: (what) => this.skipped.add(what),
    });
  }

  push(piece: Buffer): string | undefined {
    invariant(this.#reader !== undefined, 'bytes come after a beginning');
    this.#reader.push(piece, 0, piece.length);
    const { failure } = this.#reader;
    return failure === undefined ? undefined : failureText(failure);
  }

  get isDone(): boolean {
    return this.#reader?.state === 'done';
  }

  take(): Buffer {
    return this.#value.take();
  }

  end(): Buffer {
    return this.#value.take();
  }

  #begin({ dbIndex, key, expireAtUnixMs }: RdbEntry): undefined {
    const db = this.#choice.targetDb(dbIndex);
    if (db === undefined) this.leftOutCount++;
    if (db === undefined || !this.#choice.admits(key.buf, key.at, key.size)) {
      this.#value.begin(undefined);
      return undefined;
    }
    this.keyCount++;
    const expiry = expireAtUnixMs < 0 ? '' : `,"expireAtUnixMs":${expireAtUnixMs}`;
    this.#value.begin(`{"db":${db},"key":${jsonText(key)}${expiry}`);
    return undefined;
  }
}

/** Writes one value after the other. */
class JsonValue implements ValueSink {
  readonly #listpack: ListpackReader = new ListpackReader();
  readonly #stream: JsonStream = new JsonStream((text) => this.#put(text));
  #parts: string[] = [];
  /** Beginning of the line, until the value has said its type. */
  #head: string | undefined;
  #isWanted = false;
  /** What ends the line. */
  #tail = '';
  #hasElements = false;

  begin(head: string | undefined): void {
    this.#isWanted = head !== undefined;
    this.#head = head;
    this.#hasElements = false;
  }

  finish(): void {
    this.#put(`${this.#tail}}\n`);
  }

  /** The value has nothing to be written. */
  drop(): void {
    this.#isWanted = false;
  }

  take(): Buffer {
    const bytes = Buffer.from(this.#parts.join(''));
    this.#parts = [];
    return bytes;
  }

  string(value: Bytes): void {
    this.#type('string', '');
    this.#put(jsonText(value));
  }

  container(kind: ContainerKind): void {
    if (this.#head === undefined) return;
    this.#type(kind, ']');
    this.#put('[');
  }

  element(value: Bytes): boolean {
    this.#element(jsonText(value));
    return true;
  }

  field(name: Bytes, value: Bytes): boolean {
    this.#element(`[${jsonText(name)},${jsonText(value)}]`);
    return true;
  }

  scored(member: Bytes, score: number): boolean {
    this.#element(`[${jsonText(member)},${scoreText(score)}]`);
    return true;
  }

  listpack(kind: ContainerKind, { buf, at }: Bytes): void {
    this.container(kind);
    const reader = this.#listpack;
    const isPaired = kind === 'hash' || kind === 'zset';
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      pos = reader.read(buf, pos);
      const first = jsonText(reader);
      if (isPaired) pos = reader.read(buf, pos);
      if (!isPaired) this.#element(first);
      else if (kind === 'hash') this.#element(`[${first},${jsonText(reader)}]`);
      else this.#element(`[${first},${scoreText(scoreOf(reader))}]`);
    }
  }

  intset({ buf, at }: Bytes): void {
    this.container('set');
    const width = intsetWidth(buf, at);
    for (let i = 0; i < intsetCount(buf, at); i++) {
      this.#element(`"${intsetGet(buf, at, width, i)}"`);
    }
  }

  stream(): void {
    this.#type('stream', ']}');
    this.#put('{"entries":[');
    this.#stream.begin();
  }

  streamNode(...args: Parameters<ValueSink['streamNode']>): void {
    this.#stream.node(...args);
  }

  streamFacts(...args: Parameters<ValueSink['streamFacts']>): void {
    this.#stream.facts(...args);
  }

  streamGroup(...args: Parameters<ValueSink['streamGroup']>): boolean {
    return this.#stream.group(...args);
  }

  streamPending(...args: Parameters<ValueSink['streamPending']>): boolean {
    return this.#stream.pending(...args);
  }

  streamConsumer(name: Bytes): boolean {
    return this.#stream.consumer(name);
  }

  streamConsumerPending(...args: Parameters<ValueSink['streamConsumerPending']>): boolean {
    return this.#stream.consumerPending(...args);
  }

  streamGroupEnd(): boolean {
    return this.#stream.groupEnd();
  }

  #type(type: string, tail: string): void {
    const head = this.#head ?? '';
    this.#head = undefined;
    this.#tail = tail;
    this.#put(`${head},"type":"${type}","value":`);
  }

  #element(text: string): void {
    this.#put(this.#hasElements ? `,${text}` : text);
    this.#hasElements = true;
  }

  #put(text: string): void {
    if (this.#isWanted) this.#parts.push(text);
  }
}

function scoreOf({ buf, at, size }: ListpackReader): number {
  return parseScore(buf, at, size) ?? Number.NaN;
}

/** JSON has no infinity. */
function scoreText(score: number): string {
  if (Number.isFinite(score)) return String(score);
  return score > 0 ? '"inf"' : '"-inf"';
}
