/**
 * Places on earth as numbers: longitude and latitude in 26 bits each, interleaved, so that places
 * with the same first bits are near each other. What sorted sets of places have as scores. Source:
 * geohash.org; limits and radius checked against redis-server 7.0.15.
 */

export const LONGITUDE_MAX = 180;
/** Limit of the web Mercator projection. */
export const LATITUDE_MAX = 85.05112878;
/** Latitudes of the geohash.org text, which knows the poles. */
const POLE_LATITUDE = 90;
const EARTH_RADIUS_METERS = 6372797.560856;
const RADIANS_A_DEGREE: number = Math.PI / 180;

/** Bits of a coordinate. */
export const STEPS_MAX = 26;
const HALF_STEPS = 13;
const HALF_MASK = 0x1fff;
const HALF_HASH = 2 ** 26;
const HASH_LIMIT = 2 ** 53;
/** Of two, by exponent: to look one up takes a fraction of computing it. */
const POWERS: Float64Array = Float64Array.from({ length: 53 }, (_, exponent) => 2 ** exponent);
const ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz';
/** Characters of the text: ten of five bits, and one that is always 0. */
const TEXT_CHARACTERS = 10;

/** Degrees. */
export interface Place {
  longitude: number;
  latitude: number;
}

/** Indexes of a cell in a grid of 2^steps columns and rows. */
export interface Cell {
  readonly column: number;
  readonly row: number;
}

/** A rectangle, in degrees. */
export interface Box {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

export function radians(degrees: number): number {
  return degrees * RADIANS_A_DEGREE;
}

/** Degrees of an angle whose arc on the earth has this many meters. */
export function degreesOfMeters(meters: number): number {
  return meters / EARTH_RADIUS_METERS / RADIANS_A_DEGREE;
}

/** Whether a place can have a hash. */
export function isOnMap({ longitude, latitude }: Readonly<Place>): boolean {
  return Math.abs(longitude) <= LONGITUDE_MAX && Math.abs(latitude) <= LATITUDE_MAX;
}

/** The cell of a place among 2^steps by 2^steps; the eastern and northern edge are a cell beyond. */
export function cellOf({ longitude, latitude }: Readonly<Place>, steps: number): Cell {
  return {
    column: scaled(longitude, LONGITUDE_MAX, steps),
    row: scaled(latitude, LATITUDE_MAX, steps),
  };
}

function scaled(degrees: number, max: number, steps: number): number {
  return Math.floor(((degrees + max) / (max + max)) * POWERS[steps]!);
}

/** The hash that all 52-bit hashes in a cell begin with, filled up with zeros. */
export function firstHash({ column, row }: Cell, steps: number): number {
  const shift = POWERS[STEPS_MAX - steps]!;
  return interleaved(row * shift, column * shift);
}

/** How many 52-bit hashes a cell has. */
export function hashesInCell(steps: number): number {
  return POWERS[2 * (STEPS_MAX - steps)]!;
}

/** The 52-bit hash of a place. */
export function hashOf(place: Readonly<Place>): number {
  return firstHash(cellOf(place, STEPS_MAX), STEPS_MAX);
}

/** The rectangle that a cell covers. */
export function boxOf({ column, row }: Cell, steps: number): Box {
  return {
    west: edgeOf(column, LONGITUDE_MAX, steps),
    east: edgeOf(column + 1, LONGITUDE_MAX, steps),
    south: edgeOf(row, LATITUDE_MAX, steps),
    north: edgeOf(row + 1, LATITUDE_MAX, steps),
  };
}

function edgeOf(index: number, max: number, steps: number): number {
  return -max + (index / POWERS[steps]!) * (max + max);
}

/** Puts the middle of a hash's cell into `place`. Any score can be read as a hash. */
export function placeOf(score: number, place: Place): void {
  const { column, row } = cellOfHash(score);
  place.longitude = middleOf(column, LONGITUDE_MAX);
  place.latitude = middleOf(row, LATITUDE_MAX);
}

function middleOf(index: number, max: number): number {
  const middle = (edgeOf(index, max, STEPS_MAX) + edgeOf(index + 1, max, STEPS_MAX)) / 2;
  return Math.min(Math.max(middle, -max), max);
}

function cellOfHash(score: number): Cell {
  const hash = Math.trunc(score);
  if (hash >= 0 && hash < HASH_LIMIT) {
    const high = Math.floor(hash / HALF_HASH);
    const low = hash % HALF_HASH;
    return {
      column: evenBits(high >>> 1) * (HALF_MASK + 1) + evenBits(low >>> 1),
      row: evenBits(high) * (HALF_MASK + 1) + evenBits(low),
    };
  }
  // Not a hash of ours; Redis takes it for an unsigned integer of 64 bits.
  const bits =
    hash >= 2 ** 64 ? 0n : hash < -(2 ** 63) ? 1n << 63n : BigInt.asUintN(64, BigInt(hash));
  const high = Number(bits >> 32n);
  const low = Number(bits & 0xffff_ffffn);
  return {
    column: evenBits(high >>> 1) * 0x1_0000 + evenBits(low >>> 1),
    row: evenBits(high) * 0x1_0000 + evenBits(low),
  };
}

/** A number whose even bits are those of `even`, and whose odd bits are those of `odd`. */
function interleaved(even: number, odd: number): number {
  const low = spread(even & HALF_MASK) | (spread(odd & HALF_MASK) << 1);
  const high = spread(even >>> HALF_STEPS) | (spread(odd >>> HALF_STEPS) << 1);
  return (high >>> 0) * HALF_HASH + low;
}

/** 16 bits with a 0 before each. */
function spread(bits: number): number {
  let x = bits;
  x = (x | (x << 8)) & 0x00ff_00ff;
  x = (x | (x << 4)) & 0x0f0f_0f0f;
  x = (x | (x << 2)) & 0x3333_3333;
  return (x | (x << 1)) & 0x5555_5555;
}

/** The 16 bits at even places of 32. */
function evenBits(bits: number): number {
  let x = bits & 0x5555_5555;
  x = (x | (x >>> 1)) & 0x3333_3333;
  x = (x | (x >>> 2)) & 0x0f0f_0f0f;
  x = (x | (x >>> 4)) & 0x00ff_00ff;
  return (x | (x >>> 8)) & 0xffff;
}

/** The text of geohash.org for a place, 11 characters, of which the last says nothing. */
export function geohashText({ longitude, latitude }: Readonly<Place>): string {
  const column = scaled(longitude, LONGITUDE_MAX, STEPS_MAX);
  const row = scaled(latitude, POLE_LATITUDE, STEPS_MAX);
  const hash = interleaved(row, column);
  let text = '';
  for (let i = 1; i <= TEXT_CHARACTERS; i++) {
    text += ALPHABET[Math.floor(hash / POWERS[52 - 5 * i]!) % ALPHABET.length]!;
  }
  return `${text}${ALPHABET[0]!}`;
}

/** Meters between two latitudes on one meridian. */
export function latitudeDistance(a: number, b: number): number {
  return EARTH_RADIUS_METERS * Math.abs(radians(b) - radians(a));
}

/** The functions of angles that a distance is computed with. */
export interface Trigonometry {
  sin(angle: number): number;
  cos(angle: number): number;
  asin(sine: number): number;
}

/**
 * Meters between two places on a sphere, by the haversine formula. Its last bits depend on the
 * functions; those of the engine are fast.
 */
export function distance(a: Readonly<Place>, b: Readonly<Place>, by: Trigonometry = Math): number {
  const v = by.sin((radians(b.longitude) - radians(a.longitude)) / 2);
  if (v === 0) return latitudeDistance(a.latitude, b.latitude);
  const from = radians(a.latitude);
  const to = radians(b.latitude);
  const u = by.sin((to - from) / 2);
  const root = Math.sqrt(u * u + by.cos(from) * by.cos(to) * v * v);
  return 2 * EARTH_RADIUS_METERS * by.asin(root);
}
