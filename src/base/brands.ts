/**
 * Branded numbers and strings: the same runtime values, told apart by the compiler.
 * Casts to a brand happen only here and in codecs.
 */

declare const brand: unique symbol;

/** Milliseconds of a clock that only moves forward; measures waiting. Its zero means nothing. */
export type MonoMs = number & { readonly [brand]: 'MonoMs' };
/** Milliseconds since 1970-01-01 UTC, as clients and expiry times see them; may jump. */
export type UnixMs = number & { readonly [brand]: 'UnixMs' };
/** Hash slot, an integer in [0, 16384). */
export type Slot = number & { readonly [brand]: 'Slot' };
/** Name of a cluster node: 40 lower-case hexadecimal digits. */
export type NodeId = string & { readonly [brand]: 'NodeId' };
/** Replication id: 40 lower-case hexadecimal digits. */
export type Replid = string & { readonly [brand]: 'Replid' };

/** Number of hash slots in a cluster. Source: Redis Cluster specification. */
export const SLOT_COUNT = 16384;

export function monoMs(value: number): MonoMs {
  return value as MonoMs;
}

export function unixMs(value: number): UnixMs {
  return value as UnixMs;
}

/** `time` moved by `deltaMs`, which may be negative. */
export function addMs<T extends MonoMs | UnixMs>(time: T, deltaMs: number): T {
  return (time + deltaMs) as T;
}

/** The earlier of two times, either of which may be missing. */
export function earlier<T extends MonoMs | UnixMs>(a: T, b: T | undefined): T;
export function earlier<T extends MonoMs | UnixMs>(
  a: T | undefined,
  b: T | undefined,
): T | undefined;
export function earlier<T extends MonoMs | UnixMs>(
  a: T | undefined,
  b: T | undefined,
): T | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

export function isSlot(value: number): value is Slot {
  return Number.isInteger(value) && value >= 0 && value < SLOT_COUNT;
}

export function slot(value: number): Slot {
  return value as Slot;
}

const HEX_40 = /^[0-9a-f]{40}$/;

/** Whether `text` has the form of a node id or replication id. */
export function isHexId(text: string): boolean {
  return HEX_40.test(text);
}

export function nodeId(text: string): NodeId {
  return text as NodeId;
}

export function replid(text: string): Replid {
  return text as Replid;
}
