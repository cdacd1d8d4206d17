/** Places in an area: GEOSEARCH, GEOSEARCHSTORE, GEORADIUS, GEORADIUSBYMEMBER and their _RO forms. */
import { type SortKeys, sortedIndexes } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, type Ref, TYPE_ZSET, ZsetResult } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { distanceInside, searchRanges } from './geo-area.ts';
import { replyDistance, replyPlace } from './geo-arguments.ts';
import { type GeoForm, type GeoQuery, readGeoQuery } from './geo-options.ts';
import { type Place, distance, placeOf } from './geohash.ts';
import { argument, isOfType, readKey, replyView } from './key-access.ts';
import { PackedTexts } from './packed-texts.ts';
import type { Handler } from './spec.ts';
import { storeResult } from './store-result.ts';
import { CORRECT_TRIGONOMETRY } from './trigonometry.ts';

/** The places that were found: each has an index. */
interface Found {
  readonly members: PackedTexts;
  readonly scores: number[];
  /** From the center. */
  readonly meters: number[];
  /** Indexes in the order of the answer. */
  order: Uint32Array;
}

function searching(form: GeoForm): Handler {
  return (context, request, reply) => {
    const source = readKey(context, request, form.sourceAt);
    if (source !== NONE && !isOfType(context, source, TYPE_ZSET, reply)) return;
    const query = readGeoQuery(context, request, form, source, reply);
    if (query === undefined) return;
    const found = search(context, source, query);
    if (query.storeAt === undefined) answer(found, query, reply);
    else store(context, request, { form, query, found, storeAt: query.storeAt }, reply);
  };
}

const ANY_STORE = { hasStoreOption: true, storeAt: undefined };
const NO_STORE = { hasStoreOption: false, storeAt: undefined };

export const georadius: Handler = searching({
  kind: 'radius',
  sourceAt: 1,
  optionsAt: 6,
  ...ANY_STORE,
});
export const georadiusRo: Handler = searching({
  kind: 'radius',
  sourceAt: 1,
  optionsAt: 6,
  ...NO_STORE,
});
export const georadiusbymember: Handler = searching({
  kind: 'radiusByMember',
  sourceAt: 1,
  optionsAt: 5,
  ...ANY_STORE,
});
export const georadiusbymemberRo: Handler = searching({
  kind: 'radiusByMember',
  sourceAt: 1,
  optionsAt: 5,
  ...NO_STORE,
});
export const geosearch: Handler = searching({
  kind: 'search',
  sourceAt: 1,
  optionsAt: 2,
  ...NO_STORE,
});
export const geosearchstore: Handler = searching({
  kind: 'search',
  sourceAt: 2,
  optionsAt: 3,
  hasStoreOption: false,
  storeAt: 1,
});

/** The places that are asked for, in the order of the answer. */
function search(context: Context, source: Ref, query: GeoQuery): Found {
  const found: Found = {
    members: new PackedTexts(),
    scores: [],
    meters: [],
    order: new Uint32Array(0),
  };
  if (source === NONE) return found;
  collect(context, source, query, found);
  // The nearest few cannot be told without an order.
  const sort = query.sort === 'none' && query.count > 0 && !query.isAny ? 'asc' : query.sort;
  const by: SortKeys = {
    keys: Float64Array.from(found.meters),
    compareEqual: () => 0,
    isDescending: sort === 'desc',
  };
  found.order = sortedIndexes(found.meters.length, sort === 'none' ? undefined : by);
  if (query.count > 0) found.order = found.order.subarray(0, query.count);
  return found;
}

/** The places inside the shape; no more than are asked for if any will do. */
function collect(context: Context, source: Ref, query: GeoQuery, found: Found): void {
  const { zsets } = context.db.store;
  const { cursor } = zsets;
  const { members, scores, meters } = found;
  const limit = query.isAny ? query.count : Infinity;
  for (const { min, max } of searchRanges(query.shape)) {
    // Where the range ends is found on the way, which takes less than to look for it.
    zsets.boundsByScore(source, { min, max: Infinity, isMinOpen: false, isMaxOpen: false });
    cursor.seek(source, zsets.start);
    for (; cursor.isHere && cursor.score < max; cursor.next()) {
      if (scores.length >= limit) return;
      placeOf(cursor.score, PLACE);
      const away = distanceInside(query.shape, PLACE);
      if (Number.isNaN(away)) continue;
      members.add(cursor);
      scores.push(cursor.score);
      meters.push(away);
    }
  }
}

// Scratch: set and read within one step of a search.
const PLACE: Place = { longitude: 0, latitude: 0 };

function answer(found: Found, query: GeoQuery, reply: ReplyWriter): void {
  const { hasDistance, hasHash, hasPlace } = query;
  const parts = 1 + Number(hasDistance) + Number(hasHash) + Number(hasPlace);
  reply.array(found.order.length);
  for (const index of found.order) {
    const score = found.scores[index]!;
    if (parts > 1) reply.array(parts);
    replyView(reply, found.members.view(index));
    if (hasDistance) replyDistance(reply, found.meters[index]! / query.unit);
    if (hasHash) reply.int(Math.trunc(score));
    if (!hasPlace) continue;
    placeOf(score, PLACE);
    replyPlace(reply, PLACE);
  }
}

interface Storing {
  readonly form: GeoForm;
  readonly query: GeoQuery;
  readonly found: Found;
  readonly storeAt: number;
}

function store(
  context: Context,
  request: Request,
  { form, query, found, storeAt }: Storing,
  reply: ReplyWriter,
): void {
  const result = new ZsetResult(context.db);
  const count = found.order.length;
  for (const index of found.order) {
    const score = found.scores[index]!;
    const value = query.isStoringDistance ? storedDistance(query, score) : score;
    result.put(value, found.members.view(index));
  }
  if (count === 0) result.discard();
  storeResult(context, request, storeAt, {
    event: form.kind === 'search' ? 'geosearchstore' : 'georadiusstore',
    eventClass: KEYSPACE_EVENT.z,
    store: count === 0 ? undefined : () => result.store(argument(request, storeAt)),
  });
  reply.int(count);
}

/** A distance whose last digit counts, because clients see it as a score. */
function storedDistance(query: GeoQuery, score: number): number {
  placeOf(score, PLACE);
  return distance(query.shape.center, PLACE, CORRECT_TRIGONOMETRY) / query.unit;
}
