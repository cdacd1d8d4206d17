/** Keys as SCAN and others answer them, as views into the reply: nothing is made for each of them. */
import { RequestBuffer, type RespClient } from '../../client/index.ts';
import { ToolError } from '../errors.ts';

/** Key `i` is `buf[at[i], at[i] + size[i])`. */
export interface KeyBatch {
  readonly buf: Buffer;
  readonly at: readonly number[];
  readonly size: readonly number[];
}

export interface ScanPage {
  readonly cursor: string;
  readonly keys: KeyBatch;
}

const CR = 0x0d;
const ZERO = 0x30;

/** The page in a whole SCAN reply at `start`; undefined when it is something else, such as an error. */
export function readScanPage(buf: Buffer, start: number): ScanPage | undefined {
  const reader = new BulkReader(buf, start);
  if (reader.count(0x2a) !== 2 || !reader.bulk()) return undefined;
  const cursor = buf.toString('latin1', reader.at, reader.at + reader.size);
  const keys = reader.keys();
  return keys === undefined ? undefined : { cursor, keys };
}

/** The keys in a whole reply at `start` that is an array of them; undefined when it is something else, such as an error. */
export function readKeys(buf: Buffer, start: number): KeyBatch | undefined {
  return new BulkReader(buf, start).keys();
}

/** Indexes of the keys for which `isWanted` holds. */
export function keysOf(
  batch: KeyBatch,
  isWanted: (batch: KeyBatch, index: number) => boolean,
): number[] {
  const indexes: number[] = [];
  for (let i = 0; i < batch.at.length; i++) if (isWanted(batch, i)) indexes.push(i);
  return indexes;
}

/** Key `index` as bytes of its own. */
export function keyAt(batch: KeyBatch, index: number): Buffer {
  const at = batch.at[index] ?? 0;
  return Buffer.from(batch.buf.subarray(at, at + (batch.size[index] ?? 0)));
}

/** Walks a reply that is whole. */
class BulkReader {
  readonly #buf: Buffer;
  next: number;
  at = 0;
  size = 0;

  constructor(buf: Buffer, start: number) {
    this.#buf = buf;
    this.next = start;
  }

  /** The number behind `mark`; -1 when there is another mark or none. */
  count(mark: number): number {
    const buf = this.#buf;
    if (buf[this.next] !== mark) return -1;
    let value = 0;
    let at = this.next + 1;
    for (; buf[at] !== CR; at++) value = value * 10 + buf[at]! - ZERO;
    this.next = at + 2;
    return value;
  }

  keys(): KeyBatch | undefined {
    const count = this.count(0x2a);
    const at: number[] = [];
    const size: number[] = [];
    for (let i = 0; i < count; i++) {
      if (!this.bulk()) return undefined;
      at.push(this.at);
      size.push(this.size);
    }
    return count < 0 ? undefined : { buf: this.#buf, at, size };
  }

  bulk(): boolean {
    const size = this.count(0x24);
    if (size < 0) return false;
    this.at = this.next;
    this.size = size;
    this.next += size + 2;
    return true;
  }
}

/** What a page is asked for with. */
export interface ScanQuestion {
  readonly cursor: string;
  readonly count: number;
  /** Only keys that match. */
  readonly pattern?: string | undefined;
}

/** The next page of keys of one node. Throws ToolError when it answers something else. */
export async function scanPage(
  client: RespClient,
  { cursor, count, pattern }: ScanQuestion,
): Promise<ScanPage> {
  const out = new RequestBuffer();
  out.begin(pattern === undefined ? 4 : 6);
  for (const word of ['SCAN', cursor, 'COUNT', String(count)]) out.word(word);
  if (pattern !== undefined) {
    out.word('MATCH');
    const bytes = Buffer.from(pattern);
    out.argument(bytes, 0, bytes.length);
  }
  const { buf, starts, ends } = await client.exchange(out.take(), 1);
  const page = readScanPage(buf, starts[0] ?? 0);
  if (page !== undefined) return page;
  const text = buf.toString('latin1', starts[0], ends[0]).trim();
  throw new ToolError('NODE_FAILED', `Node ${client.name} answered to SCAN: ${text.slice(0, 200)}`);
}
