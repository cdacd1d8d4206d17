/** Places in an area: GEOSEARCH, GEOSEARCHSTORE, GEORADIUS, GEORADIUSBYMEMBER and their _RO forms. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, type Ref, TYPE_ZSET, ZsetResult } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { type Shape, distanceInside, searchRanges } from './geo-area.ts';
import { replyDistance, replyPlace } from './geo-arguments.ts';
import { type GeoForm, type GeoQuery, readGeoQuery } from './geo-options.ts';
import { type Place, distance, placeOf } from './geohash.ts';
import { argument, isOfType, readKey } from './key-access.ts';
import type { Handler } from './spec.ts';
import { storeResult } from './store-result.ts';
import { CORRECT_TRIGONOMETRY } from './trigonometry.ts';

/** A place that was found. */
interface Found {
  readonly member: Buffer;
  readonly score: number;
  /** Meters from the center. */
  readonly meters: number;
  readonly place: Readonly<Place>;
}

function searching(form: GeoForm): Handler {
  return (context, request, reply) => {
    const source = readKey(context, request, form.sourceAt);
    if (source !== NONE && !isOfType(context, source, TYPE_ZSET, reply)) return;
    const query = readGeoQuery(context, request, form, source, reply);
    if (query === undefined) return;
    const found = source === NONE ? [] : search(context, source, query);
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
function search(context: Context, source: Ref, query: GeoQuery): Found[] {
  const limit = query.isAny ? query.count : Infinity;
  const found = collect(context, source, query.shape, limit);
  // The nearest few cannot be told without an order.
  const sort = query.sort === 'none' && query.count > 0 && !query.isAny ? 'asc' : query.sort;
  if (sort === 'asc') found.sort((a, b) => a.meters - b.meters);
  if (sort === 'desc') found.sort((a, b) => b.meters - a.meters);
  return query.count > 0 ? found.slice(0, query.count) : found;
}

/** Up to `limit` places inside a shape. */
function collect(context: Context, source: Ref, shape: Shape, limit: number): Found[] {
  const { zsets } = context.db.store;
  const { cursor } = zsets;
  const found: Found[] = [];
  for (const { min, max } of searchRanges(shape)) {
    // Where the range ends is found on the way, which takes less than to look for it.
    zsets.boundsByScore(source, { min, max: Infinity, isMinOpen: false, isMaxOpen: false });
    cursor.seek(source, zsets.start);
    for (; cursor.isHere && cursor.score < max; cursor.next()) {
      if (found.length >= limit) return found;
      const { score } = cursor;
      placeOf(score, PLACE);
      const meters = distanceInside(shape, PLACE);
      if (Number.isNaN(meters)) continue;
      const member = Buffer.from(cursor.buf.subarray(cursor.at, cursor.at + cursor.size));
      found.push({ member, score, meters, place: { ...PLACE } });
    }
  }
  return found;
}

// Scratch: set and read within one step of a search.
const PLACE: Place = { longitude: 0, latitude: 0 };

function answer(found: readonly Found[], query: GeoQuery, reply: ReplyWriter): void {
  const { hasDistance, hasHash, hasPlace } = query;
  const parts = 1 + Number(hasDistance) + Number(hasHash) + Number(hasPlace);
  reply.array(found.length);
  for (const { member, score, meters, place } of found) {
    if (parts > 1) reply.array(parts);
    reply.bulkBytes(member);
    if (hasDistance) replyDistance(reply, meters / query.unit);
    if (hasHash) reply.int(Math.trunc(score));
    if (hasPlace) replyPlace(reply, place);
  }
}

interface Storing {
  readonly form: GeoForm;
  readonly query: GeoQuery;
  readonly found: readonly Found[];
  readonly storeAt: number;
}

function store(
  context: Context,
  request: Request,
  { form, query, found, storeAt }: Storing,
  reply: ReplyWriter,
): void {
  const result = new ZsetResult(context.db);
  for (const { member, score, place } of found) {
    const value = query.isStoringDistance ? storedDistance(query, place) : score;
    result.put(value, { buf: member, at: 0, size: member.length });
  }
  if (found.length === 0) result.discard();
  storeResult(context, request, storeAt, {
    event: form.kind === 'search' ? 'geosearchstore' : 'georadiusstore',
    eventClass: KEYSPACE_EVENT.z,
    store: found.length === 0 ? undefined : () => result.store(argument(request, storeAt)),
  });
  reply.int(found.length);
}

/** A distance whose last digit counts, because clients see it as a score. */
function storedDistance(query: GeoQuery, place: Readonly<Place>): number {
  return distance(query.shape.center, place, CORRECT_TRIGONOMETRY) / query.unit;
}
