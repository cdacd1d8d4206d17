/** What can differ between two keys of one name, and the comparison of two values that are in hand. */
import type { Abilities, Side } from '../flow/index.ts';
import type { Portrait } from './portrait.ts';

/** `unread`: a side answered with an error, so nothing can be said. */
export type DifferenceKind = 'onlyOnSource' | 'onlyOnTarget' | 'type' | 'value' | 'ttl' | 'unread';

/** Values and expiry are compared, or only whether a key is there and of what type. */
export type Depth = 'values' | 'types';

/** What counts as equal. */
export interface Measure {
  /** Expiry times that differ by no more are equal, milliseconds. */
  readonly toleranceMs: number;
  readonly depth: Depth;
}

/** What is compared, and how closely. */
export interface Comparison {
  readonly source: Side;
  readonly target: Side;
  readonly measure: Measure;
  /** What the servers of either side, and of both, can be asked. */
  readonly abilities: SideAbilities;
}

export interface SideAbilities {
  readonly source: Abilities;
  readonly target: Abilities;
  readonly both: Abilities;
}

export interface PartDifference {
  /** A field, member, index, or part of a stream; one byte a character. Long texts are cut. */
  readonly part: string;
  /** Undefined where there is no such part. */
  readonly source: string | undefined;
  readonly target: string | undefined;
}

export interface Difference {
  readonly kind: DifferenceKind;
  readonly type?: string;
  /** For people: what stands on either side. */
  readonly detail?: string;
  /** The key was written to all the time, so that this may be a write on its way. */
  readonly isChanging?: boolean;
  /** The first PARTS_SHOWN_MAX parts that differ. */
  readonly parts?: readonly PartDifference[];
  readonly partCount?: number;
}

export const PARTS_SHOWN_MAX = 10;
/** Longer texts are cut, so that what is remembered of a difference is bounded. */
const TEXT_BYTES_MAX = 1000;

/** Counts parts that differ and keeps the first ones. */
export class PartDifferences {
  readonly shown: PartDifference[] = [];
  count = 0;

  add(part: PartDifference): void {
    this.count++;
    if (this.shown.length >= PARTS_SHOWN_MAX) return;
    const { source, target } = part;
    this.shown.push({
      part: short(part.part),
      source: source === undefined ? undefined : short(source),
      target: target === undefined ? undefined : short(target),
    });
  }

  /** Undefined when none was added. */
  difference(type: string): Difference | undefined {
    if (this.count === 0) return undefined;
    return { kind: 'value', type, parts: this.shown, partCount: this.count };
  }
}

function short(text: string): string {
  if (text.length <= TEXT_BYTES_MAX) return text;
  return `${text.slice(0, TEXT_BYTES_MAX)}... (${text.length} bytes)`;
}

/** Undefined when the two values are equal. */
export function comparePortraits(source: Portrait, target: Portrait): Difference | undefined {
  if (source.type !== target.type) {
    return { kind: 'type', detail: `${source.type} on the source, ${target.type} on the target` };
  }
  const found = new PartDifferences();
  for (const [part, text] of source.parts) {
    const other = target.parts.get(part);
    if (other !== text) found.add({ part, source: text, target: other });
  }
  for (const [part, text] of target.parts) {
    if (!source.parts.has(part)) found.add({ part, source: undefined, target: text });
  }
  return found.difference(source.type);
}

/** Moment at which a key expires, Unix milliseconds, as PEXPIRETIME answers it: -1 for never. */
export function compareExpiry(
  source: number,
  target: number,
  toleranceMs: number,
): Difference | undefined {
  if (source === target) return undefined;
  if (source >= 0 && target >= 0 && Math.abs(source - target) <= toleranceMs) return undefined;
  const text = (at: number): string => (at < 0 ? 'none' : String(at));
  return {
    kind: 'ttl',
    detail: `expires at ${text(source)} on the source, ${text(target)} on the target`,
  };
}
