/** The little language in which the commands of each group are described. */
import type { Kind, Source } from './source.ts';

/** Draws no, one or several arguments. */
export type Part = (source: Source) => readonly string[];

export interface Template {
  readonly name: string;
  readonly parts: readonly Part[];
  /** How often in comparison with others of its group; default 1. */
  readonly weight: number;
}

/** What one group brings: its commands, and the kinds of keys they need. */
export interface Group {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly templates: readonly Template[];
}

export function command(name: string, ...parts: readonly (Part | string)[]): Template {
  return { name, parts: parts.map(partOf), weight: 1 };
}

export function often(weight: number, template: Template): Template {
  return { ...template, weight };
}

function partOf(part: Part | string): Part {
  return typeof part === 'string' ? () => [part] : part;
}

export function draw(template: Template, source: Source): string[] {
  return [template.name, ...template.parts.flatMap((part) => part(source))];
}

export const key =
  (kind: Kind): Part =>
  (source) => [source.key(kind)];
export const anyKey: Part = (source) => [source.anyKey()];
export const member: Part = (source) => [source.member()];
export const integer: Part = (source) => [source.integer()];
export const index: Part = (source) => [source.index()];
export const float: Part = (source) => [source.float()];
export const relativeTime: Part = (source) => [source.relativeTime()];
export const absoluteTime: Part = (source) => [source.absoluteTime()];
export const streamId: Part = (source) => [source.streamId()];

/** One of the alternatives, each of which is a part or words. */
export function one(...alternatives: readonly (Part | string)[]): Part {
  const parts = alternatives.map(partOf);
  return (source) => source.pick(parts)(source);
}

export function all(...items: readonly (Part | string)[]): Part {
  const parts = items.map(partOf);
  return (source) => parts.flatMap((part) => part(source));
}

export function maybe(probability: number, ...items: readonly (Part | string)[]): Part {
  const whole = all(...items);
  return (source) => (source.chance(probability) ? whole(source) : []);
}

/** `first` to `last` times, both included, small counts more often. */
export function times(first: number, last: number, ...items: readonly (Part | string)[]): Part {
  const whole = all(...items);
  return (source) => {
    const most = source.chance(0.6) ? Math.min(last, first + 3) : last;
    const count = source.between(first, most);
    return Array.from({ length: count }, () => whole(source)).flat();
  };
}

/** Some of the options in any order, seldom the same one twice. */
export function options(...alternatives: readonly (Part | string)[]): Part {
  const parts = alternatives.map(partOf);
  return (source) => {
    const left = [...parts];
    const found: string[] = [];
    for (let count = source.between(0, source.chance(0.7) ? 2 : 4); count > 0; count--) {
      if (left.length === 0) break;
      const at = source.rng.below(left.length);
      found.push(...left[at]!(source));
      if (source.chance(0.95)) left.splice(at, 1);
    }
    return found;
  };
}

/** A number of keys and the keys, the number seldom being another. */
export function counted(kind: Kind, first: number = 1, last: number = 3): Part {
  return (source) => {
    const count = source.between(first, last);
    const keys = Array.from({ length: count }, () => source.key(kind));
    const told = source.chance(0.95) ? String(count) : source.integer();
    return [told, ...keys];
  };
}

/** Many different members at once, around the limits of encodings: whole numbers or words. */
export function crowd(perMember: (name: string, source: Source) => readonly string[]): Part {
  return (source) => {
    const size = source.pick([10, 33, 127, 128, 129, 511, 512, 513]);
    const first = source.pick([0, 0, 100, -300, 32700, 1_000_000]);
    const isNumeric = source.chance(0.5);
    const isShuffled = source.chance(0.3);
    const prefix = source.pick(['e', 'element:', `long${'-'.repeat(50)}`]);
    return Array.from({ length: size }, (_, i) => {
      const n = first + (isShuffled ? (i * 389) % size : i);
      return perMember(isNumeric ? String(n) : `${prefix}${n}`, source);
    }).flat();
  };
}
