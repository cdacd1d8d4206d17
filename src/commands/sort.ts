/** SORT and SORT_RO: elements of a list, set or sorted set in another order, or what belongs to them. */
import { type SortKeys, parseDouble, sortedIndexes } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import {
  type BytesView,
  NONE,
  type Ref,
  TYPE_LIST,
  TYPE_SET,
  TYPE_ZSET,
} from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_SORT_SCORE } from './data-errors.ts';
import { ERR_WRONG_TYPE } from './errors.ts';
import { defineCommands } from './facts.ts';
import { SORT_FACTS } from './facts/sort.ts';
import { argument, emptyView, readKey, replyView } from './key-access.ts';
import { type SortOptions, parseSortOptions, sortKeys } from './sort-options.ts';
import { PackedTexts } from './packed-texts.ts';
import type { CommandSpec } from './spec.ts';
import { storeResult } from './store-result.ts';

/** What is sorted and in which order it goes out. */
interface Sorted {
  readonly elements: PackedTexts;
  /** Indexes of elements. */
  readonly order: Uint32Array;
}

const BLANK = /^[ \t\n\v\f\r]+/;
const EMPTY: BytesView = emptyView();

function sort(context: Context, request: Request, reply: ReplyWriter): void {
  const options = parseSortOptions(context, request, true, reply);
  if (options !== undefined) sortWith(context, request, options, reply);
}

function sortReadOnly(context: Context, request: Request, reply: ReplyWriter): void {
  const options = parseSortOptions(context, request, false, reply);
  if (options !== undefined) sortWith(context, request, options, reply);
}

function sortWith(
  context: Context,
  request: Request,
  options: SortOptions,
  reply: ReplyWriter,
): void {
  let ref = readKey(context, request, 1);
  const type = ref === NONE ? TYPE_LIST : context.db.entries.type(ref);
  if (type !== TYPE_LIST && type !== TYPE_SET && type !== TYPE_ZSET) {
    return reply.error(ERR_WRONG_TYPE);
  }
  if (options.isUnsorted && type === TYPE_SET && needsOrder(context, options)) {
    options.isUnsorted = false;
    options.isAlpha = true;
    options.by = undefined;
  }
  if (type === TYPE_ZSET) ref = enlarge(context, ref);
  const elements = ref === NONE ? new PackedTexts() : collect(context, ref);
  const by = options.isUnsorted ? undefined : orderOf(context, elements, options);
  if (by === 'no numbers') return reply.error(ERR_SORT_SCORE);
  const order = sortedIndexes(elements.count, by);
  if (options.isUnsorted && type !== TYPE_SET && options.isDescending) order.reverse();
  const sorted = { elements, order: order.subarray(...limited(order.length, options)) };
  if (options.storeAt === 0) answer(context, sorted, options, reply);
  else store(context, request, sorted, options, reply);
}

/** A sorted set that was sorted is a large one, whatever its size. */
function enlarge({ db }: Context, ref: Ref): Ref {
  db.store.beforeChange(ref);
  return db.store.zsets.enlarge(db, ref);
}

/** The elements in their own order. */
function collect(context: Context, ref: Ref): PackedTexts {
  const { lists, sets, zsets } = context.db.store;
  const type = context.db.entries.type(ref);
  const values = type === TYPE_LIST ? lists : type === TYPE_SET ? sets : zsets;
  const elements = new PackedTexts(values.size(ref));
  values.forEach(ref, (element) => elements.add(element));
  return elements;
}

/** The range of [start, end) that LIMIT leaves of `size` elements. */
function limited(size: number, { start, count }: SortOptions): [number, number] {
  const first = Math.min(Math.max(start, 0), size);
  return [first, count < 0 ? size : Math.min(first + count, size)];
}

/** Whether the same elements must give the same order: replicas store the same, and scripts have always seen it so. */
function needsOrder({ session }: Context, { storeAt }: SortOptions): boolean {
  return storeAt !== 0 || session.role === 'script';
}

/** What the elements are sorted by, unless something that should be a number is none. */
function orderOf(
  context: Context,
  elements: PackedTexts,
  options: SortOptions,
): SortKeys | 'no numbers' {
  const { isAlpha, isDescending } = options;
  const texts = options.by === undefined ? elements : sortKeysOf(context, elements, options);
  const keys = isAlpha ? texts.textKeys() : scoresOf(texts);
  if (keys === undefined) return 'no numbers';
  let compareEqual = (a: number, b: number): number => elements.compare(a, b);
  if (isAlpha) {
    const isBinary = options.storeAt !== 0;
    compareEqual = (a, b) => (isBinary ? texts.compare(a, b) : texts.collate(a, b));
  }
  return { keys, compareEqual, isDescending };
}

/** The numbers that texts are; undefined if one is none. */
function scoresOf(texts: PackedTexts): Float64Array | undefined {
  const scores = new Float64Array(texts.count);
  for (let i = 0; i < scores.length; i++) {
    const score = texts.isAbsent(i) ? 0 : scoreOf(texts.view(i));
    if (Number.isNaN(score)) return undefined;
    scores[i] = score;
  }
  return scores;
}

/** What BY leads to from each element. */
function sortKeysOf(context: Context, elements: PackedTexts, { by }: SortOptions): PackedTexts {
  const keys = new PackedTexts(elements.count);
  for (let i = 0; i < elements.count; i++) {
    const found = by?.find(context, elements.view(i));
    if (found === undefined) keys.addAbsent();
    else keys.add(found);
  }
  return keys;
}

/** Smallest number of full precision; strtod() calls what is below it out of range. */
const NORMAL_MIN = 2 ** -1022;

/** Whether a text that means another number is `score` only because that one is too small or too large. */
function isOutOfRange(score: number, text: string): boolean {
  const size = Math.abs(score);
  if (size >= NORMAL_MIN && size < Infinity) return false;
  return /^[^eEpPiI]*[1-9a-dA-DfF]/.test(text.replace(/^\s*[+-]?0[xX]/, ''));
}

/** The number that a text is for strtod(): up to a zero byte, blanks first, nothing is 0; NaN for none. */
function scoreOf({ buf, at, size }: BytesView): number {
  const score = parseDouble(buf, at, size);
  if (!Number.isNaN(score) && Math.abs(score) >= NORMAL_MIN && score !== Infinity) return score;
  const [whole = ''] = Buffer.from(buf.subarray(at, at + size))
    .toString('latin1')
    .split('\0', 1);
  const text = whole.replace(BLANK, '');
  if (text === '') return whole === '' ? 0 : NaN;
  const bytes = Buffer.from(text, 'latin1');
  const found = parseDouble(bytes, 0, bytes.length);
  return isOutOfRange(found, text) ? NaN : found;
}

function answer(
  context: Context,
  { elements, order }: Sorted,
  { get }: SortOptions,
  reply: ReplyWriter,
): void {
  reply.array(order.length * Math.max(1, get.length));
  for (const index of order) {
    if (get.length === 0) replyView(reply, elements.view(index));
    for (const pattern of get) {
      const found = pattern.find(context, elements.view(index));
      if (found === undefined) reply.nullBulk();
      else replyView(reply, found);
    }
  }
}

function store(
  context: Context,
  request: Request,
  { elements, order }: Sorted,
  { get, storeAt }: SortOptions,
  reply: ReplyWriter,
): void {
  // What the patterns lead to may be the very key that is replaced.
  const results = new PackedTexts();
  for (const index of order) {
    if (get.length === 0) results.add(elements.view(index));
    for (const pattern of get) {
      results.add(pattern.find(context, elements.view(index)) ?? EMPTY);
    }
  }
  const count = results.count;
  storeResult(context, request, storeAt, {
    eventClass: KEYSPACE_EVENT.l,
    event: 'sortstore',
    changes: count,
    store: count === 0 ? undefined : () => storeList(context, request, storeAt, results),
  });
  reply.int(count);
}

/** Makes a list of the results under the key in argument `i`, which is not there. */
function storeList(context: Context, request: Request, i: number, results: PackedTexts): Ref {
  const { db } = context;
  const { lists } = db.store;
  let ref = lists.create(db, argument(request, i), results.view(0));
  for (let j = 1; j < results.count; j++) ref = lists.push(db, ref, results.view(j), false);
  return ref;
}

export const sortCommands: readonly CommandSpec[] = defineCommands(
  SORT_FACTS,
  { sort, sort_ro: sortReadOnly },
  { sort: sortKeys, sort_ro: () => [1] },
);
