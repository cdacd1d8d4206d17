/** The geo commands: their facts, and those about single places. */
import { NONE, TYPE_ZSET } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_SYNTAX } from './errors.ts';
import { defineCommands } from './facts.ts';
import { GEO_FACTS } from './facts/geo.ts';
import {
  findPlace,
  placeArgument,
  replyDistance,
  replyPlace,
  unitArgument,
} from './geo-arguments.ts';
import {
  georadius,
  georadiusRo,
  georadiusbymember,
  georadiusbymemberRo,
  geosearch,
  geosearchstore,
} from './geo-search.ts';
import { type Place, distance, geohashText, hashOf } from './geohash.ts';
import { isOfType, readKey } from './key-access.ts';
import type { CommandSpec } from './spec.ts';
import { CH, NX, XX, addScored, optionAt, scoresOf } from './zset-add.ts';
import { readZset, replyNothing } from './zset-access.ts';

export const geoCommands: readonly CommandSpec[] = defineCommands(GEO_FACTS, {
  geoadd,
  geodist,
  geohash,
  geopos,
  georadius,
  georadius_ro: georadiusRo,
  georadiusbymember,
  georadiusbymember_ro: georadiusbymemberRo,
  geosearch,
  geosearchstore,
});

const GEOADD_OPTIONS = NX | XX | CH;

/** GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]: a ZADD. */
function geoadd(context: Context, request: Request, reply: ReplyWriter): void {
  let first = 2;
  let flags = 0;
  for (; first < request.argc; first++) {
    const option = optionAt(request, first);
    if ((option & GEOADD_OPTIONS) === 0) break;
    flags |= option;
  }
  const isBoth = (flags & NX) !== 0 && (flags & XX) !== 0;
  if ((request.argc - first) % 3 !== 0 || isBoth) return reply.error(ERR_SYNTAX);
  const scores = scoresOf((request.argc - first) / 3);
  for (let i = first, at = 0; i < request.argc; i += 3, at++) {
    const place = placeArgument(request, i, reply);
    if (place === undefined) return;
    scores[at] = hashOf(place);
  }
  if (first === request.argc) return reply.error(ERR_SYNTAX);
  if (context.isPropagated) context.propagateAs(zaddOf(request, first, scores));
  addScored(context, request, { first: first + 2, step: 3, flags }, reply);
}

/** What replicas get. */
function zaddOf(request: Request, first: number, scores: Float64Array): (Buffer | string)[] {
  const args: (Buffer | string)[] = ['ZADD'];
  for (let i = 1; i < first; i++) args.push(request.bytes(i));
  for (let i = first, at = 0; i < request.argc; i += 3, at++) {
    args.push(String(scores[at]!), request.bytes(i + 2));
  }
  return args;
}

/** GEOPOS key [member ...]. */
function geopos(context: Context, request: Request, reply: ReplyWriter): void {
  eachPlace(context, request, reply, (place) => {
    if (place === undefined) reply.nullArray();
    else replyPlace(reply, place);
  });
}

/** GEOHASH key [member ...]. */
function geohash(context: Context, request: Request, reply: ReplyWriter): void {
  eachPlace(context, request, reply, (place) => {
    if (place === undefined) reply.nullBulk();
    else reply.bulkText(geohashText(place));
  });
}

/** Answers an array with an element for each member of the call, whether it is there or not. */
function eachPlace(
  context: Context,
  request: Request,
  reply: ReplyWriter,
  answer: (place: Place | undefined) => void,
): void {
  const ref = readKey(context, request, 1);
  if (ref !== NONE && !isOfType(context, ref, TYPE_ZSET, reply)) return;
  const place: Place = { longitude: 0, latitude: 0 };
  reply.array(request.argc - 2);
  for (let i = 2; i < request.argc; i++) {
    answer(ref !== NONE && findPlace(context, ref, request, i, place) ? place : undefined);
  }
}

/** GEODIST key member member [M | KM | FT | MI]. */
function geodist(context: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 5) return reply.error(ERR_SYNTAX);
  const unit = request.argc === 5 ? unitArgument(request, 4, reply) : 1;
  if (Number.isNaN(unit)) return;
  const ref = readZset(context, request, 1, reply, replyNothing);
  if (ref === NONE) return;
  const from: Place = { longitude: 0, latitude: 0 };
  const to: Place = { longitude: 0, latitude: 0 };
  const areThere =
    findPlace(context, ref, request, 2, from) && findPlace(context, ref, request, 3, to);
  if (areThere) replyDistance(reply, distance(from, to) / unit);
  else reply.nullBulk();
}
