/** What GEOSEARCH, GEORADIUS and their like are asked for. */
import { NOT_INTEGER } from '../base/index.ts';
import { NONE, type Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import {
  ERR_GEO_ANY,
  ERR_GEO_COUNT,
  ERR_GEO_MEMBER,
  geoNeeds,
  geoStoreOptions,
} from './data-errors.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import type { Shape } from './geo-area.ts';
import {
  type Lengths,
  boxArgument,
  findPlace,
  placeArgument,
  radiusArgument,
} from './geo-arguments.ts';
import type { Place } from './geohash.ts';

/** Which command it is. */
export interface GeoForm {
  readonly kind: 'radius' | 'radiusByMember' | 'search';
  /** Argument of the key with the places. */
  readonly sourceAt: number;
  /** Argument where options begin. */
  readonly optionsAt: number;
  /** Whether options name a key to store into; GEOSEARCHSTORE has one in argument 1. */
  readonly hasStoreOption: boolean;
  readonly storeAt: number | undefined;
}

/** What a call asks for; filled by `readGeoOptions`. */
export class GeoQuery {
  center: Place | undefined;
  /** How GEOSEARCH was told the center; for a key that is not there, a member has none. */
  from: 'member' | 'place' | undefined;
  circle: Lengths | undefined;
  box: Lengths | undefined;
  hasDistance = false;
  hasHash = false;
  hasPlace = false;
  isAny = false;
  /** 0: all. */
  count = 0;
  sort: 'none' | 'asc' | 'desc' = 'none';
  /** Argument of the key to store into. */
  storeAt: number | undefined;
  isStoringDistance = false;

  /** The shape to look in; the query has a center and a size. */
  get shape(): Shape {
    const center = this.center!;
    const { circle, box } = this;
    if (box === undefined) return { center, radius: circle!.first, size: undefined };
    return { center, radius: 0, size: { width: box.first, height: box.second } };
  }

  /** Meters in the unit of distances. */
  get unit(): number {
    return (this.box ?? this.circle!).unit;
  }
}

/** One call: where its arguments come from and go to. */
interface Reading {
  readonly context: Context;
  readonly request: Request;
  readonly reply: ReplyWriter;
  readonly form: GeoForm;
  /** The key with the places, or NONE. */
  readonly source: Ref;
  readonly query: GeoQuery;
}

/** How many arguments an option took; NOT_MINE for none of ours, FAILED after an error reply. */
const NOT_MINE = 0;
const FAILED = -1;

/** Reads all arguments behind the key; undefined after an error reply. */
export function readGeoQuery(
  context: Context,
  request: Request,
  form: GeoForm,
  source: Ref,
  reply: ReplyWriter,
): GeoQuery | undefined {
  const query = new GeoQuery();
  query.storeAt = form.storeAt;
  const reading: Reading = { context, request, reply, form, source, query };
  if (!readFixed(reading)) return undefined;
  for (let i = form.optionsAt; i < request.argc;) {
    const taken =
      readFlag(reading, i) ||
      readCount(reading, i) ||
      readStore(reading, i) ||
      readArea(reading, i);
    if (taken === NOT_MINE) reply.error(ERR_SYNTAX);
    if (taken <= NOT_MINE) return undefined;
    i += taken;
  }
  const problem = problemOf(reading);
  if (problem === undefined) return query;
  reply.error(problem);
  return undefined;
}

/** The center and radius that GEORADIUS and GEORADIUSBYMEMBER have in fixed places. */
function readFixed(reading: Reading): boolean {
  const { request, reply, form, source, query } = reading;
  if (form.kind === 'search') return true;
  if (form.kind === 'radius') {
    query.center = placeArgument(request, 2, reply);
    if (query.center === undefined) return false;
  } else {
    // Without a key the rest is still read, to know what to answer; but not the radius.
    if (source === NONE) return true;
    if (!readMember(reading, 2)) return false;
  }
  query.circle = radiusArgument(request, form.optionsAt - 2, reply);
  return query.circle !== undefined;
}

function readFlag({ request, form, query }: Reading, i: number): number {
  if (request.is(i, 'withdist')) query.hasDistance = true;
  else if (request.is(i, 'withhash')) query.hasHash = true;
  else if (request.is(i, 'withcoord')) query.hasPlace = true;
  else if (request.is(i, 'any')) query.isAny = true;
  else if (request.is(i, 'asc')) query.sort = 'asc';
  else if (request.is(i, 'desc')) query.sort = 'desc';
  else if (form.storeAt !== undefined && request.is(i, 'storedist')) query.isStoringDistance = true;
  else return NOT_MINE;
  return 1;
}

function readCount({ request, reply, query }: Reading, i: number): number {
  if (!request.is(i, 'count') || i + 1 >= request.argc) return NOT_MINE;
  const count = request.int(i + 1);
  if (count === NOT_INTEGER) reply.error(ERR_NOT_INTEGER);
  else if (count <= 0) reply.error(ERR_GEO_COUNT);
  else {
    query.count = Number(count);
    return 2;
  }
  return FAILED;
}

function readStore({ request, form, query }: Reading, i: number): number {
  if (!form.hasStoreOption || i + 1 >= request.argc) return NOT_MINE;
  const isDistance = request.is(i, 'storedist');
  if (!isDistance && !request.is(i, 'store')) return NOT_MINE;
  query.storeAt = i + 1;
  query.isStoringDistance = isDistance;
  return 2;
}

/** FROMMEMBER, FROMLONLAT, BYRADIUS and BYBOX. */
function readArea(reading: Reading, i: number): number {
  const { request, reply, form, query } = reading;
  if (form.kind !== 'search') return NOT_MINE;
  const left = request.argc - 1 - i;
  if (left >= 1 && request.is(i, 'frommember') && query.from !== 'place') {
    query.from = 'member';
    return readMember(reading, i + 1) ? 2 : FAILED;
  }
  if (left >= 2 && request.is(i, 'fromlonlat') && query.from !== 'member') {
    query.from = 'place';
    query.center = placeArgument(request, i + 1, reply);
    return query.center === undefined ? FAILED : 3;
  }
  if (left >= 2 && request.is(i, 'byradius') && query.box === undefined) {
    query.circle = radiusArgument(request, i + 1, reply);
    return query.circle === undefined ? FAILED : 3;
  }
  if (left >= 3 && request.is(i, 'bybox') && query.circle === undefined) {
    query.box = boxArgument(request, i + 1, reply);
    return query.box === undefined ? FAILED : 4;
  }
  return NOT_MINE;
}

/** Makes the member in argument `i` the center; false after an error reply. */
function readMember({ context, request, reply, source, query }: Reading, i: number): boolean {
  if (source === NONE) return true;
  query.center = { longitude: 0, latitude: 0 };
  if (findPlace(context, source, request, i, query.center)) return true;
  reply.error(ERR_GEO_MEMBER);
  return false;
}

/** What is wrong with the options together. */
function problemOf({ request, form, query }: Reading): string | undefined {
  const isShowing = query.hasDistance || query.hasHash || query.hasPlace;
  if (query.storeAt !== undefined && isShowing) {
    return geoStoreOptions(
      form.storeAt === undefined ? 'STORE option in GEORADIUS' : 'GEOSEARCHSTORE',
    );
  }
  if (form.kind === 'search') {
    const name = request.text(0);
    if (query.from === undefined) return geoNeeds('FROMMEMBER or FROMLONLAT', name);
    if (query.circle === undefined && query.box === undefined) {
      return geoNeeds('BYRADIUS and BYBOX', name);
    }
  }
  return query.isAny && query.count === 0 ? ERR_GEO_ANY : undefined;
}
