/** Arguments of the geo commands: places, distances with their units, members that are places. */
import { formatFixed } from '../base/index.ts';
import type { Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import {
  ERR_GEO_BOX_NEGATIVE,
  ERR_GEO_HEIGHT,
  ERR_GEO_RADIUS,
  ERR_GEO_RADIUS_NEGATIVE,
  ERR_GEO_UNIT,
  ERR_GEO_WIDTH,
} from './data-errors.ts';
import { ERR_NOT_FLOAT } from './errors.ts';
import { type Place, isOnMap, placeOf } from './geohash.ts';
import { scoreArgument } from './zset-access.ts';

/** Meters in each unit. */
const UNITS: readonly (readonly [name: string, meters: number])[] = [
  ['m', 1],
  ['km', 1000],
  ['ft', 0.3048],
  ['mi', 1609.34],
];
/** Decimals that an error message shows of coordinates. */
const SHOWN_DECIMALS = 6;
const COORDINATE_DECIMALS = 17;

/** The place in arguments `i` (longitude) and `i + 1`; undefined after an error reply. */
export function placeArgument(request: Request, i: number, reply: ReplyWriter): Place | undefined {
  const longitude = scoreArgument(request, i);
  const latitude = scoreArgument(request, i + 1);
  if (Number.isNaN(longitude) || Number.isNaN(latitude)) {
    reply.error(ERR_NOT_FLOAT);
    return undefined;
  }
  const place = { longitude, latitude };
  if (isOnMap(place)) return place;
  const shown = [longitude, latitude].map((degrees) => formatFixed(degrees, SHOWN_DECIMALS));
  reply.error(`ERR invalid longitude,latitude pair ${shown.join(',')}`);
  return undefined;
}

/** Meters in the unit that argument `i` names; NaN after an error reply. */
export function unitArgument(request: Request, i: number, reply: ReplyWriter): number {
  for (const [name, meters] of UNITS) if (request.is(i, name)) return meters;
  reply.error(ERR_GEO_UNIT);
  return Number.NaN;
}

/** A length or two of one unit. */
export interface Lengths {
  /** Meters. */
  readonly first: number;
  readonly second: number;
  /** Meters in the unit. */
  readonly unit: number;
}

/** A radius and its unit, from argument `i` on; undefined after an error reply. */
export function radiusArgument(
  request: Request,
  i: number,
  reply: ReplyWriter,
): Lengths | undefined {
  const radius = scoreArgument(request, i);
  if (Number.isNaN(radius)) reply.error(ERR_GEO_RADIUS);
  else if (radius < 0) reply.error(ERR_GEO_RADIUS_NEGATIVE);
  else return withUnit(request, i + 1, radius, 0, reply);
  return undefined;
}

/** Width, height and their unit, from argument `i` on; undefined after an error reply. */
export function boxArgument(request: Request, i: number, reply: ReplyWriter): Lengths | undefined {
  const width = scoreArgument(request, i);
  const height = scoreArgument(request, i + 1);
  if (Number.isNaN(width)) reply.error(ERR_GEO_WIDTH);
  else if (Number.isNaN(height)) reply.error(ERR_GEO_HEIGHT);
  else if (width < 0 || height < 0) reply.error(ERR_GEO_BOX_NEGATIVE);
  else return withUnit(request, i + 2, width, height, reply);
  return undefined;
}

function withUnit(
  request: Request,
  i: number,
  first: number,
  second: number,
  reply: ReplyWriter,
): Lengths | undefined {
  const unit = unitArgument(request, i, reply);
  return Number.isNaN(unit) ? undefined : { first: first * unit, second: second * unit, unit };
}

/** Puts the place of the member in argument `i` into `place`; whether there is such a member. */
export function findPlace(
  { db }: Context,
  ref: Ref,
  request: Request,
  i: number,
  place: Place,
): boolean {
  const score = db.store.zsets.find(ref, request.buf, request.at[i]!, request.size[i]!);
  if (Number.isNaN(score)) return false;
  placeOf(score, place);
  return true;
}

/** Answers longitude and latitude. */
export function replyPlace(reply: ReplyWriter, { longitude, latitude }: Readonly<Place>): void {
  reply.array(2);
  reply.double(coordinateText(longitude));
  reply.double(coordinateText(latitude));
}

function coordinateText(degrees: number): string {
  const text = formatFixed(degrees, COORDINATE_DECIMALS).replace(/\.?0+$/, '');
  return text === '-0' ? '0' : text;
}

/** Answers a distance. */
export function replyDistance(reply: ReplyWriter, value: number): void {
  reply.bulkText(formatFixed(value, 4));
}
