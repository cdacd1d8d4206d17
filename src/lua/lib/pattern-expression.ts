/**
 * Lua's patterns as regular expressions. Every item of a pattern has its equal there, with the same order of trials. No text
 * of a user becomes an expression unescaped.
 */
import type { PatternItem } from './pattern-items.ts';

/** An expression with the captures of its pattern. */
export interface PatternExpression {
  /** Sticky: matches at `lastIndex` only. */
  readonly here: RegExp;
  /** Global: finds the first match from `lastIndex` on. */
  readonly anywhere: RegExp;
  /** One for each capture: whether it is a position. */
  readonly positions: readonly boolean[];
}

const REPETITIONS = { '': '', '*': '*', '+': '+', '-': '*?', '?': '?' } as const;

export function expressionOf(items: readonly PatternItem[]): PatternExpression {
  const source = items.map(sourceOf).join('');
  const positions = items.flatMap((item) => (item.kind === 'open' ? [item.isPosition] : []));
  const flags = positions.includes(true) ? 'sd' : 's';
  return {
    here: new RegExp(source, `${flags}y`),
    anywhere: new RegExp(source, `${flags}g`),
    positions,
  };
}

function sourceOf(item: PatternItem): string {
  switch (item.kind) {
    case 'open':
      return item.isPosition ? '()' : '(';
    case 'close':
      return ')';
    case 'end':
      return '$';
    case 'one':
      // An empty set matches nothing.
      return `[${setOf(item.bytes)}]${REPETITIONS[item.repetition]}`;
  }
}

function setOf(bytes: Uint8Array): string {
  return rangesOf(bytes)
    .map(([first, last]) =>
      first === last ? escaped(first) : `${escaped(first)}-${escaped(last)}`,
    )
    .join('');
}

/** The bytes of a set as ranges, both ends included. */
export function rangesOf(bytes: Uint8Array): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (let first = 0; first < 256; first++) {
    if (bytes[first] === 0) continue;
    let last = first;
    while (last < 255 && bytes[last + 1] === 1) last++;
    ranges.push([first, last]);
    first = last;
  }
  return ranges;
}

/** A byte as nothing but itself. */
function escaped(code: number): string {
  return `\\x${code.toString(16).padStart(2, '0')}`;
}
