/**
 * The quick look at many keys: which of them are surely equal. Both sides are asked the same in the same order, so that
 * where nothing differs one comparison of all bytes tells. Of a string a bounded range is read, together with its expiry;
 * the error tells what is none. Of other values, and of strings among many of them, MEMORY USAGE is asked first, so that no
 * large one is read whole, then DUMP. Payloads that are equal but for their version are equal values; others are compared as
 * portraits. What is not surely equal, and what is large, is left to the judge of single keys.
 */
import { SLOT_COUNT } from '../../base/index.ts';
import {
  type KeyRequests,
  NOBODY,
  type RawReplies,
  type ReplyBlock,
  RequestBuffer,
  type RespClient,
  locateReplies,
  replyFacts,
} from '../../client/index.ts';
import { TYPE_STRING } from '../../rdb/index.ts';
import {
  type Comparison,
  type Difference,
  compareExpiry,
  comparePortraits,
} from './differences.ts';
import type { KeyBatch } from '../flow/index.ts';
import { PortraitPainter } from './portrait.ts';

/** A value that takes more memory is compared in pieces. */
export const LARGE_VALUE_BYTES: number = 256 * 1024;
/** Memory of the values that are asked for in one go. */
const GROUP_BYTES_MAX: number = 4 * 1024 * 1024;
/** A longer string goes the way of other values. */
const SHORT_STRING_BYTES: number = 16 * 1024;
/** The reply for a string without bytes, and for a key that is not there. */
const EMPTY_BULK_BYTES = 6;
/** Version and checksum at the end of a payload, and the end of line. */
const TAIL_BYTES = 12;
/** Around the digits of an integer. */
const INTEGER_FRAME_BYTES = 3;

const DOLLAR = 0x24;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const CR = 0x0d;
const LF = 0x0a;
const LETTER_R = 0x52;
const LETTER_W = 0x57;

const NOT_A_NUMBER = -3;
/** PEXPIRETIME of a key that is not there, and of one that stays. */
const MISSING = -2;
const STAYS = -1;

/** What is not surely equal: what is known already, and what must be looked at one by one. */
export class Suspects {
  readonly known: [index: number, Difference][] = [];
  readonly unsure: number[] = [];
}

/** Keys that have one owner on each side, so that both sides are sent the same bytes and answer in the same order. */
interface Part {
  readonly batch: KeyBatch;
  readonly keys: readonly number[];
  readonly sourceMaster: number;
  readonly targetMaster: number;
}

/** What the source answered, and what the target did. */
type Blocks = [ReplyBlock, ReplyBlock];

export class BatchCheck {
  readonly #comparison: Comparison;
  readonly #painter: PortraitPainter;
  readonly #requests: ValueRequests;
  readonly #out: RequestBuffer = new RequestBuffer();
  /** Whether the last part looked like strings: the next one is read as such before its types are known. */
  #areMostlyStrings = true;
  #asksForExpiry = false;

  constructor(comparison: Comparison) {
    this.#comparison = comparison;
    const { both } = comparison.abilities;
    this.#painter = new PortraitPainter(both.hasFieldExpiry);
    this.#requests = both.knows('pexpiretime') ? WITH_MOMENTS : WITH_TTLS;
  }

  /** Looks at the keys with these indexes. */
  async suspects(batch: KeyBatch, keys: readonly number[]): Promise<Suspects> {
    const found = new Suspects();
    const checks = this.#partsOf(batch, keys, found).map((part) => this.#check(part, found));
    await Promise.all(checks);
    return found;
  }

  #partsOf(batch: KeyBatch, keys: readonly number[], found: Suspects): readonly Part[] {
    const [source, target] = [
      this.#comparison.source.deployment,
      this.#comparison.target.deployment,
    ];
    if (!source.isCluster && !target.isCluster) {
      return [{ batch, keys, sourceMaster: 0, targetMaster: 0 }];
    }
    const parts = new Map<number, Part & { readonly keys: number[] }>();
    for (const index of keys) {
      const [at, size] = [batch.at[index]!, batch.size[index]!];
      const sourceMaster = source.ownerOf(batch.buf, at, size);
      const targetMaster = target.ownerOf(batch.buf, at, size);
      if (sourceMaster === NOBODY || targetMaster === NOBODY) {
        found.unsure.push(index);
        continue;
      }
      const name = sourceMaster * SLOT_COUNT + targetMaster;
      const part = parts.get(name) ?? { batch, keys: [], sourceMaster, targetMaster };
      parts.set(name, part);
      part.keys.push(index);
    }
    return [...parts.values()];
  }

  async #check(part: Part, found: Suspects): Promise<void> {
    if (this.#comparison.measure.depth === 'types') return this.#checkTypes(part, found);
    if (!this.#areMostlyStrings) return this.#checkOthers(part, found);
    const others: number[] = [];
    await this.#checkStrings(part, others, found);
    this.#areMostlyStrings = others.length * 2 < part.keys.length;
    if (others.length > 0) await this.#checkOthers({ ...part, keys: others }, found);
  }

  async #checkTypes(part: Part, found: Suspects): Promise<void> {
    const blocks = await this.#both(part, TYPE);
    if (areSameBlocks(blocks) && blocks[0].errorCount === 0) return;
    const [source, target] = locateBoth(blocks);
    for (const [place, index] of part.keys.entries()) {
      const isError = source.buf[source.starts[place]!] === MINUS;
      if (isError || !areSameBytes(source, target, place, 0)) found.unsure.push(index);
    }
  }

  /** Takes the keys for strings; what is something else, or too long, is added to `others`. */
  async #checkStrings(part: Part, others: number[], found: Suspects): Promise<void> {
    if (!this.#asksForExpiry && (await this.#areSimplyEqual(part))) return;
    const blocks = await this.#both(part, this.#requests.range);
    const areAllSame = areSameBlocks(blocks);
    const [{ errorCount, longestBytes }] = blocks;
    if (areAllSame && errorCount === 0 && longestBytes <= SHORT_STRING_BYTES) return;
    const [source, target] = locateBoth(blocks);
    for (const [place, index] of part.keys.entries()) {
      const at = place * 2;
      if (source.buf[source.starts[at]!] === MINUS) {
        (isOfWrongType(source, at) ? others : found.unsure).push(index);
      } else if (!areAllSame && !areSameBytes(source, target, at, 0)) {
        this.#suspect(source, target, at, index, found);
      } else if (source.ends[at]! - source.starts[at]! > SHORT_STRING_BYTES) {
        others.push(index);
      } else if (!areAllSame && !this.#hasEqualExpiry(source, target, at + 1)) {
        this.#suspect(source, target, at, index, found);
      }
    }
  }

  /**
   * Whether all are short strings, equal, and without expiry: the values are read alone, and behind them how many keys of
   * the database expire. None does in many databases, which halves the work; in others it is not tried again.
   */
  async #areSimplyEqual(part: Part): Promise<boolean> {
    const blocks = await this.#both(part, RANGE, INFO_KEYSPACE);
    const [source, target] = blocks;
    const { errorCount, shortestBytes, longestBytes } = source;
    const areShortStrings =
      errorCount === 0 && longestBytes <= SHORT_STRING_BYTES && shortestBytes > EMPTY_BULK_BYTES;
    if (!areShortStrings || this.#haveExpiry(blocks)) this.#asksForExpiry = true;
    return !this.#asksForExpiry && areSameBlocks([withoutLast(source), withoutLast(target)]);
  }

  /** Whether any key expires, by the keyspace behind the replies. */
  #haveExpiry([source, target]: Blocks): boolean {
    return (
      hasExpiry(source, this.#comparison.source.db) || hasExpiry(target, this.#comparison.target.db)
    );
  }

  /** A key that is plainly missing needs no second look. */
  #suspect(
    source: RawReplies,
    target: RawReplies,
    at: number,
    index: number,
    found: Suspects,
  ): void {
    const [one, other] = [integer(source, at + 1), integer(target, at + 1)];
    const isString = target.buf[target.starts[at]!] !== MINUS;
    const type = isString ? { type: 'string' } : {};
    if (one === STAYS && other === MISSING) {
      found.known.push([index, { kind: 'onlyOnSource', ...type }]);
    } else if (one === MISSING && other === STAYS) {
      found.known.push([index, { kind: 'onlyOnTarget', ...type }]);
    } else {
      found.unsure.push(index);
    }
  }

  async #checkOthers(part: Part, found: Suspects): Promise<void> {
    const sizes = await this.#sizes(part);
    // Nobody can say how large they are: each is looked at in pieces.
    if (sizes === undefined) {
      for (const index of part.keys) found.unsure.push(index);
      return;
    }
    if (areAllSmall(sizes, part.keys.length)) return this.#compareGroup(part, found);
    const [source, target] = locateBoth(sizes);
    let group: number[] = [];
    let groupBytes = 0;
    for (const [place, index] of part.keys.entries()) {
      const [one, other] = [integer(source, place), integer(target, place)];
      const bytes = Math.max(one, other);
      // A key that is missing has no size.
      if (one < 0 || other < 0 || bytes > LARGE_VALUE_BYTES) {
        found.unsure.push(index);
        continue;
      }
      if (groupBytes + bytes > GROUP_BYTES_MAX) {
        await this.#compareGroup({ ...part, keys: group }, found);
        group = [];
        groupBytes = 0;
      }
      group.push(index);
      groupBytes += bytes;
    }
    if (group.length > 0) await this.#compareGroup({ ...part, keys: group }, found);
  }

  /** What the values take on either side, as far as it can say (since Redis 4): the other's word counts for both. */
  async #sizes(part: Part): Promise<Blocks | undefined> {
    const { source, target, both } = this.#comparison.abilities;
    if (both.knows('memory')) return this.#both(part, MEMORY_USAGE);
    if (!source.knows('memory') && !target.knows('memory')) return undefined;
    const clients = await this.#clientsOf(part);
    this.#out.aboutEach(MEMORY_USAGE, part.batch, part.keys);
    const { count } = this.#out;
    const client = source.knows('memory') ? clients[0] : clients[1];
    const block = await client.exchangeBlock(this.#out.take(), count);
    return [block, block];
  }

  /** Compares values that fit into memory, as payloads; expiry as with strings. */
  async #compareGroup(part: Part, found: Suspects): Promise<void> {
    const asksForExpiry = this.#asksForExpiry;
    const blocks = asksForExpiry
      ? await this.#both(part, this.#requests.dump)
      : await this.#both(part, DUMP, INFO_KEYSPACE);
    if (!asksForExpiry && this.#haveExpiry(blocks)) {
      this.#asksForExpiry = true;
      return this.#compareGroup(part, found);
    }
    const [{ errorCount, longestBytes }] = blocks;
    this.#areMostlyStrings = longestBytes <= SHORT_STRING_BYTES && beginsWithString(blocks[0]);
    const replies: Blocks = asksForExpiry
      ? blocks
      : [withoutLast(blocks[0]), withoutLast(blocks[1])];
    if (errorCount === 0 && areSameBlocks(replies)) return;
    const [source, target] = locateBoth(replies);
    const perKey = asksForExpiry ? 2 : 1;
    for (const [place, index] of part.keys.entries()) {
      const at = place * perKey;
      const isEqual =
        this.#hasEqualValues(source, target, at) &&
        (!asksForExpiry || this.#hasEqualExpiry(source, target, at + 1));
      if (!isEqual) found.unsure.push(index);
    }
  }

  /** Sends both sides the same bytes; `behind` is one more request, or none. */
  async #both(part: Part, requests: KeyRequests, behind: Buffer = NO_BYTES): Promise<Blocks> {
    const [source, target] = await this.#clientsOf(part);
    const more = behind.length > 0 ? 1 : 0;
    this.#out.aboutEach(requests, part.batch, part.keys);
    this.#out.raw(behind, 0, behind.length, more);
    const { count } = this.#out;
    const bytes = this.#out.take();
    const blocks = await Promise.all([
      source.exchangeBlock(bytes, count),
      target.exchangeBlock(bytes, count),
    ]);
    this.#out.recycle(bytes);
    return blocks;
  }

  #clientsOf({ sourceMaster, targetMaster }: Part): Promise<[RespClient, RespClient]> {
    const [source, target] = [this.#comparison.source, this.#comparison.target];
    return Promise.all([
      source.deployment.connection(sourceMaster, source.db),
      target.deployment.connection(targetMaster, target.db),
    ]);
  }

  #hasEqualExpiry(source: RawReplies, target: RawReplies, at: number): boolean {
    if (areSameBytes(source, target, at, 0)) return true;
    const [one, other] = [integer(source, at), integer(target, at)];
    if (one < STAYS || other < STAYS) return false;
    return compareExpiry(one, other, this.#comparison.measure.toleranceMs) === undefined;
  }

  #hasEqualValues(source: RawReplies, target: RawReplies, at: number): boolean {
    if (!isPayload(source, at) || !isPayload(target, at)) return false;
    if (areSameBytes(source, target, at, TAIL_BYTES)) return true;
    const [one, other] = [this.#portrait(source, at), this.#portrait(target, at)];
    if (one === undefined || other === undefined) return false;
    return comparePortraits(one, other) === undefined;
  }

  #portrait({ buf, starts, ends }: RawReplies, at: number): ReturnType<PortraitPainter['paint']> {
    const start = buf.indexOf(CR, starts[at]) + 2;
    return this.#painter.paint(buf, start, ends[at]! - 2 - start);
  }
}

/** Whether all replies are the same, byte for byte. */
function areSameBlocks([source, target]: Blocks): boolean {
  const size = source.end - source.start;
  if (size !== target.end - target.start) return false;
  return source.buf.compare(target.buf, target.start, target.end, source.start, source.end) === 0;
}

function locateBoth([source, target]: Blocks): [RawReplies, RawReplies] {
  return [locateReplies(source), locateReplies(target)];
}

/** Whether the two replies are the same but for their last `tail` bytes. */
function areSameBytes(source: RawReplies, target: RawReplies, at: number, tail: number): boolean {
  const from = source.starts[at]!;
  const size = source.ends[at]! - from;
  const otherFrom = target.starts[at]!;
  if (size !== target.ends[at]! - otherFrom) return false;
  const [buf, other] = [source.buf, target.buf];
  if (size > SHORT_LOOP_BYTES) {
    return buf.compare(other, otherFrom, otherFrom + size - tail, from, from + size - tail) === 0;
  }
  for (let i = 0; i < size - tail; i++) if (buf[from + i] !== other[otherFrom + i]) return false;
  return true;
}

/** Up to here a loop is faster than a call into the runtime. */
const SHORT_LOOP_BYTES = 64;

/** A bulk string that is not null; errors are none. */
function isPayload({ buf, starts }: RawReplies, at: number): boolean {
  return buf[starts[at]!] === DOLLAR && buf[starts[at]! + 1] !== MINUS;
}

function integer({ buf, starts }: RawReplies, at: number): number {
  let pos = starts[at]!;
  if (buf[pos++] !== COLON) return NOT_A_NUMBER;
  const isNegative = buf[pos] === MINUS;
  if (isNegative) pos++;
  let value = 0;
  for (; buf[pos] !== CR; pos++) value = value * 10 + buf[pos]! - ZERO;
  return isNegative ? -value : value;
}

/** `-WRONGTYPE`, in place of another error. */
function isOfWrongType({ buf, starts }: RawReplies, at: number): boolean {
  return buf[starts[at]! + 1] === LETTER_W && buf[starts[at]! + 2] === LETTER_R;
}

/** Whether so many sizes are together no more than is asked for in one go, as far as their longest tells. */
function areAllSmall(sizes: Blocks, count: number): boolean {
  return sizes.every(
    ({ errorCount, longestBytes }) =>
      errorCount === 0 && count * 10 ** (longestBytes - INTEGER_FRAME_BYTES) <= GROUP_BYTES_MAX,
  );
}

/** Whether the first of the payloads is that of a string. */
function beginsWithString({ buf, start }: ReplyBlock): boolean {
  return buf[start + 1] !== MINUS && buf[buf.indexOf(LF, start) + 1] === TYPE_STRING;
}

/** Whether any key of the database expires, as far as the last reply tells, which is the server's keyspace. */
function hasExpiry({ buf, lastStart, end }: ReplyBlock, db: number): boolean {
  if (buf[lastStart] !== DOLLAR) return true;
  const counts = replyFacts(buf.toString('latin1', lastStart, end)).get(`db${db}`);
  return counts !== undefined && !/\bexpires=0\b/.test(counts);
}

function withoutLast(block: ReplyBlock): ReplyBlock {
  return { ...block, end: block.lastStart };
}

/** Commands about a key, which stands for KEY. */
function about(...commands: readonly (readonly string[])[]): KeyRequests {
  const out = new RequestBuffer();
  const pieces: Buffer[] = [];
  for (const words of commands) {
    out.begin(words.length);
    for (const word of words) {
      if (word === KEY) pieces.push(out.take());
      else out.word(word);
    }
  }
  return { pieces, last: out.take(), count: commands.length };
}

const NO_BYTES: Buffer = Buffer.alloc(0);
const INFO_KEYSPACE: Buffer = Buffer.from('*2\r\n$4\r\nINFO\r\n$8\r\nkeyspace\r\n');
const KEY = '<key>';
const TYPE = about(['TYPE', KEY]);
const MEMORY_USAGE = about(['MEMORY', 'USAGE', KEY]);
const SHORT_RANGE = ['GETRANGE', KEY, '0', String(SHORT_STRING_BYTES)];
const RANGE = about(SHORT_RANGE);
const DUMP = about(['DUMP', KEY]);

/** A value together with its expiry. */
interface ValueRequests {
  readonly range: KeyRequests;
  readonly dump: KeyRequests;
}

function withExpiry(command: string): ValueRequests {
  const expiry = [command, KEY];
  return { range: about(SHORT_RANGE, expiry), dump: about(['DUMP', KEY], expiry) };
}

const WITH_MOMENTS = withExpiry('PEXPIRETIME');
/** Both sides are asked at the same time, and answer in the same way about keys that stay and that are missing. */
const WITH_TTLS = withExpiry('PTTL');
