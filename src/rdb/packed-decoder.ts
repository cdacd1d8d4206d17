/** Hashes, sets, sorted sets and lists in one packed piece: zipmap, ziplist, intset, listpack. */
import { StringSlot } from './cursor.ts';
import type { RdbCursor } from './cursor.ts';
import {
  TYPE_HASH_LISTPACK,
  TYPE_HASH_ZIPLIST,
  TYPE_HASH_ZIPMAP,
  TYPE_LIST_ZIPLIST,
  TYPE_SET_INTSET,
  TYPE_SET_LISTPACK,
  TYPE_ZSET_LISTPACK,
  TYPE_ZSET_ZIPLIST,
} from './format.ts';
import { isIntsetSound } from './intset.ts';
import { ListpackForms } from './listpack-form.ts';
import { ListpackNames, compareElements } from './listpack-names.ts';
import {
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  isListpackSound,
  listpackCount,
  listpackInt,
  listpackNext,
} from './listpack.ts';
import { parseScore } from './scores.ts';
import type { ValueSink } from './value.ts';
import type { ReadOutcome, ValueDecoder } from './value-decoder.ts';
import { ZiplistReader } from './ziplist.ts';
import { ZipmapReader } from './zipmap.ts';

export class PackedDecoder implements ValueDecoder {
  readonly #blob: StringSlot = new StringSlot();
  /** A name, while its value is read from a ziplist: the reader's view of it does not last. */
  readonly #name: StringSlot = new StringSlot();
  readonly #ziplist: ZiplistReader = new ZiplistReader();
  readonly #zipmap: ZipmapReader = new ZipmapReader();
  readonly #forms: ListpackForms = new ListpackForms();
  readonly #names: ListpackNames = new ListpackNames();
  readonly #member: ListpackReader = new ListpackReader();
  readonly #previous: ListpackReader = new ListpackReader();
  readonly #value: ListpackReader = new ListpackReader();
  #type = 0;

  begin(type: number): void {
    this.#type = type;
  }

  read(cursor: RdbCursor, sink: ValueSink): ReadOutcome {
    const from = cursor.at;
    const blob = this.#blob;
    if (!cursor.string(blob)) {
      cursor.at = from;
      return 'more';
    }
    switch (this.#type) {
      case TYPE_HASH_ZIPMAP:
        return this.#zipmapHash(sink) ?? corrupt(cursor, 'Zipmap');
      case TYPE_LIST_ZIPLIST:
        return this.#ziplistList(sink) ?? corrupt(cursor, 'List ziplist');
      case TYPE_HASH_ZIPLIST:
        return this.#ziplistPairs('hash', sink) ?? corrupt(cursor, 'Hash ziplist');
      case TYPE_ZSET_ZIPLIST:
        return this.#ziplistPairs('zset', sink) ?? corrupt(cursor, 'Zset ziplist');
      case TYPE_SET_INTSET:
        if (!isIntsetSound(blob.buf, blob.at, blob.size)) return corrupt(cursor, 'Intset');
        if (blob.size === EMPTY_INTSET_BYTES) return 'empty';
        sink.intset(blob);
        return 'done';
      case TYPE_HASH_LISTPACK:
        return this.#listpackHash(sink) ?? corrupt(cursor, 'Hash listpack');
      case TYPE_SET_LISTPACK:
        return this.#listpackSet(sink) ?? corrupt(cursor, 'Set listpack');
      case TYPE_ZSET_LISTPACK:
        return this.#listpackZset(sink) ?? corrupt(cursor, 'Zset listpack');
      default:
        cursor.fail(`Unknown RDB encoding type ${this.#type}`);
        return 'more';
    }
  }

  #zipmapHash(sink: ValueSink): ReadOutcome | undefined {
    const zipmap = this.#zipmap;
    const blob = this.#blob;
    zipmap.open(blob.buf, blob.at, blob.size);
    if (!zipmap.next()) return zipmap.isSound ? 'empty' : undefined;
    sink.container('hash', 1);
    do {
      if (!sink.field(zipmap.field, zipmap.value)) return undefined;
    } while (zipmap.next());
    return zipmap.isSound ? 'done' : undefined;
  }

  #ziplistList(sink: ValueSink): ReadOutcome | undefined {
    const ziplist = this.#ziplist;
    const blob = this.#blob;
    ziplist.open(blob.buf, blob.at, blob.size);
    if (!ziplist.next()) return ziplist.isSound ? 'empty' : undefined;
    sink.container('list', 1);
    do sink.element(ziplist);
    while (ziplist.next());
    return ziplist.isSound ? 'done' : undefined;
  }

  #ziplistPairs(kind: 'hash' | 'zset', sink: ValueSink): ReadOutcome | undefined {
    const ziplist = this.#ziplist;
    const blob = this.#blob;
    ziplist.open(blob.buf, blob.at, blob.size);
    if (!ziplist.next()) return ziplist.isSound ? 'empty' : undefined;
    sink.container(kind, 1);
    do {
      this.#name.setCopy(ziplist.buf, ziplist.at, ziplist.size);
      if (!ziplist.next()) return undefined;
      if (kind === 'hash') {
        if (!sink.field(this.#name, ziplist)) return undefined;
        continue;
      }
      const score = parseScore(ziplist.buf, ziplist.at, ziplist.size);
      if (Number.isNaN(score) || !sink.scored(this.#name, score)) return undefined;
    } while (ziplist.next());
    return ziplist.isSound ? 'done' : undefined;
  }

  #listpackHash(sink: ValueSink): ReadOutcome | undefined {
    const { buf, at, size } = this.#blob;
    const form = this.#forms.of(buf, at, size);
    if (form === 'broken') return undefined;
    const count = listpackCount(buf, at);
    if (count === 0) return 'empty';
    if (count % 2 !== 0) return undefined;
    if (!this.#names.differ(buf, at + LISTPACK_HEADER_BYTES, count / 2, 2)) return undefined;
    if (form === 'ours') sink.listpack('hash', this.#blob);
    else this.#hashElements(count / 2, sink);
    return 'done';
  }

  #listpackSet(sink: ValueSink): ReadOutcome | undefined {
    const { buf, at, size } = this.#blob;
    if (!isListpackSound(buf, at, size)) return undefined;
    const count = listpackCount(buf, at);
    if (count === 0) return 'empty';
    sink.container('set', count);
    const member = this.#member;
    let pos = at + LISTPACK_HEADER_BYTES;
    for (let i = 0; i < count; i++) {
      pos = member.read(buf, pos);
      if (!sink.element(member as ElementBytes)) return undefined;
    }
    return 'done';
  }

  #listpackZset(sink: ValueSink): ReadOutcome | undefined {
    const { buf, at, size } = this.#blob;
    const form = this.#forms.of(buf, at, size);
    if (form === 'broken') return undefined;
    const count = listpackCount(buf, at);
    if (count === 0) return 'empty';
    if (count % 2 !== 0) return undefined;
    if (!this.#names.differ(buf, at + LISTPACK_HEADER_BYTES, count / 2, 2)) return undefined;
    const order = this.#zsetOrder(count / 2);
    if (order === 'broken') return undefined;
    if (order === 'rising' && form === 'ours') sink.listpack('zset', this.#blob);
    else if (!this.#zsetElements(count / 2, sink)) return undefined;
    return 'done';
  }

  /** Fields, which differ, are added one by one. */
  #hashElements(count: number, sink: ValueSink): void {
    const { buf, at } = this.#blob;
    let pos = at + LISTPACK_HEADER_BYTES;
    sink.container('hash', count);
    for (let i = 0; i < count; i++) {
      pos = this.#value.read(buf, this.#member.read(buf, pos));
      sink.field(this.#member as ElementBytes, this.#value as ElementBytes);
    }
  }

  /** `broken`: a score is no number. */
  #zsetOrder(count: number): 'rising' | 'mixed' | 'broken' {
    const { buf, at } = this.#blob;
    let pos = at + LISTPACK_HEADER_BYTES;
    let order: 'rising' | 'mixed' = 'rising';
    let previousScore = -Infinity;
    let previousPos = -1;
    for (let i = 0; i < count; i++) {
      const scorePos = listpackNext(buf, pos);
      const score = this.#scoreAt(buf, scorePos);
      if (Number.isNaN(score)) return 'broken';
      if (score < previousScore) order = 'mixed';
      else if (score === previousScore && previousPos >= 0) {
        this.#previous.read(buf, previousPos);
        this.#member.read(buf, pos);
        if (compareElements(this.#previous, this.#member) > 0) order = 'mixed';
      }
      previousScore = score;
      previousPos = pos;
      pos = listpackNext(buf, scorePos);
    }
    return order;
  }

  #scoreAt(buf: Buffer, pos: number): number {
    const int = listpackInt(buf, pos);
    if (int !== undefined) return Number(int);
    this.#value.read(buf, pos);
    return parseScore(this.#value.buf, this.#value.at, this.#value.size);
  }

  /** Members that are not in order, or not in our form, are added one by one. */
  #zsetElements(count: number, sink: ValueSink): boolean {
    const { buf, at } = this.#blob;
    let pos = at + LISTPACK_HEADER_BYTES;
    sink.container('zset', count);
    for (let i = 0; i < count; i++) {
      const scorePos = this.#member.read(buf, pos);
      if (!sink.scored(this.#member as ElementBytes, this.#scoreAt(buf, scorePos))) return false;
      pos = listpackNext(buf, scorePos);
    }
    return true;
  }
}

/** The buffers that we read from are Buffers, and so are those of the elements in them. */
type ElementBytes = ListpackReader & { readonly buf: Buffer };

const EMPTY_INTSET_BYTES = 8;

function corrupt(cursor: RdbCursor, what: string): ReadOutcome {
  cursor.fail(`${what} integrity check failed.`);
  return 'more';
}
