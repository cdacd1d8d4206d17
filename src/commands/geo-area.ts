/**
 * Searching places around a center: the cells of the hash grid that can hold a place inside, and
 * whether a place is. Cells are looked at in the same order as by Redis, because answers without an
 * order of their own come in it.
 */
import {
  type Box,
  type Cell,
  type Place,
  STEPS_MAX,
  boxOf,
  cellOf,
  degreesOfMeters,
  distance,
  firstHash,
  hashesInCell,
  latitudeDistance,
  radians,
} from './geohash.ts';

/** A circle or a rectangle around a center, in meters. */
export interface Shape {
  readonly center: Readonly<Place>;
  readonly radius: number;
  /** Present for a rectangle. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
}

/** Scores [min, max). */
export interface HashRange {
  readonly min: number;
  readonly max: number;
}

/** Half of the equator on the map, in meters. */
const MERCATOR_MAX = 20037726.37;
/** Latitudes from which on cells are so narrow that they must be larger. */
const POLAR_LATITUDE = 66;
const FAR_POLAR_LATITUDE = 80;

/** Steps east and north from the center's cell, in the order in which cells are looked at. */
const NEIGHBORS: readonly (readonly [east: number, north: number])[] = [
  [0, 0], [0, 1], [0, -1], [1, 0], [-1, 0], [1, 1], [-1, 1], [1, -1], [-1, -1],
]; // prettier-ignore

/** Distance in meters of a place from the center; NaN when it is outside the shape. */
export function distanceInside(shape: Shape, place: Readonly<Place>): number {
  const { center, size } = shape;
  if (size === undefined) {
    const meters = distance(center, place);
    return meters > shape.radius ? Number.NaN : meters;
  }
  if (latitudeDistance(place.latitude, center.latitude) > size.height / 2) return Number.NaN;
  const { latitude } = place;
  const across = distance(place, { longitude: center.longitude, latitude });
  return across > size.width / 2 ? Number.NaN : distance(center, place);
}

/** The ranges of hashes that a place inside the shape can have. */
export function searchRanges(shape: Shape): readonly HashRange[] {
  const bounds = boundsOf(shape);
  let steps = stepsFor(outerRadius(shape), shape.center.latitude);
  if (steps > 1 && !isCovered(cellOf(shape.center, steps), steps, bounds)) steps--;
  const cell = cellOf(shape.center, steps);
  const box = boxOf(cell, steps);
  const ranges: HashRange[] = [];
  for (const [east, north] of NEIGHBORS) {
    if (steps >= 2 && isUseless(east, north, box, bounds)) continue;
    const min = firstHash(moved(cell, east, north, steps), steps);
    // In a small grid neighbors on two sides are the same cell.
    if (ranges.length > 1 && ranges.at(-1)!.min === min) continue;
    ranges.push({ min, max: min + hashesInCell(steps) });
  }
  return ranges;
}

function outerRadius({ radius, size }: Shape): number {
  if (size === undefined) return radius;
  const { width, height } = size;
  return Math.sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2));
}

/** The box around a shape. */
function boundsOf({ center, radius, size }: Shape): Box {
  const { longitude, latitude } = center;
  const upward = degreesOfMeters(size === undefined ? radius : size.height / 2);
  // Parallels are shortest on the side of the nearer pole.
  const nearPole = latitude < 0 ? latitude - upward : latitude + upward;
  const half = size === undefined ? radius : size.width / 2;
  const sideward = degreesOfMeters(half / Math.cos(radians(nearPole)));
  return {
    west: longitude - sideward,
    east: longitude + sideward,
    south: latitude - upward,
    north: latitude + upward,
  };
}

/** How fine a grid can be for nine of its cells to cover a circle. */
function stepsFor(radius: number, latitude: number): number {
  if (radius === 0) return STEPS_MAX;
  let steps = -1;
  for (let meters = radius; meters < MERCATOR_MAX; meters *= 2) steps++;
  if (Math.abs(latitude) > POLAR_LATITUDE) steps--;
  if (Math.abs(latitude) > FAR_POLAR_LATITUDE) steps--;
  return Math.min(Math.max(steps, 1), STEPS_MAX);
}

/** Whether the cells around one reach to the bounds. */
function isCovered(cell: Cell, steps: number, bounds: Box): boolean {
  return (
    boxOf(moved(cell, 0, 1, steps), steps).north >= bounds.north &&
    boxOf(moved(cell, 0, -1, steps), steps).south <= bounds.south &&
    boxOf(moved(cell, 1, 0, steps), steps).east >= bounds.east &&
    boxOf(moved(cell, -1, 0, steps), steps).west <= bounds.west
  );
}

/** Whether the neighbor that way is beyond the bounds, because the cell itself reaches that far. */
function isUseless(east: number, north: number, box: Box, bounds: Box): boolean {
  return (
    (north < 0 && box.south < bounds.south) ||
    (north > 0 && box.north > bounds.north) ||
    (east < 0 && box.west < bounds.west) ||
    (east > 0 && box.east > bounds.east)
  );
}

/** A cell some steps east and north; the grid goes on at its other side. */
function moved({ column, row }: Cell, east: number, north: number, steps: number): Cell {
  const mask = (1 << steps) - 1;
  return {
    column: east === 0 ? column : (column + east) & mask,
    row: north === 0 ? row : (row + north) & mask,
  };
}
