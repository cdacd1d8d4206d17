/** What the fuzzer runs: commands as bytes, cut into programs that begin with an empty server. */

/** One command: its name and arguments. */
export type Step = readonly Buffer[];

export interface Program {
  readonly protocol: 2 | 3;
  /** Value of notify-keyspace-events while it runs; events are compared unless it is empty. */
  readonly events: string;
  readonly steps: readonly Step[];
}

/** The command's name in lower case, of a container with its subcommand: `xgroup|create`. */
export function nameOf(step: Step): string {
  const name = lower(step, 0);
  return CONTAINERS.has(name) && step.length > 1 ? `${name}|${lower(step, 1)}` : name;
}

const CONTAINERS = new Set(['object', 'memory', 'xgroup', 'xinfo', 'debug', 'pubsub', 'client']);

/** Argument `i` in lower case; '' when there is none. */
export function lower(step: Step, i: number): string {
  return (step[i] ?? NOTHING).toString('latin1', 0, WORD_BYTES).toLowerCase();
}

/** A whole number as Redis reads it, or undefined. */
export function integerAt(step: Step, i: number): bigint | undefined {
  const text = (step[i] ?? NOTHING).toString('latin1', 0, WORD_BYTES);
  return /^(?:0|-?[1-9]\d*)$/.test(text) ? BigInt(text) : undefined;
}

/** No option and no number is longer. */
const WORD_BYTES = 40;
const NOTHING = Buffer.alloc(0);

/** Where a connection is in a program, going by the words alone. */
export interface Situation {
  readonly isInMulti: boolean;
  /** WATCH may be on. */
  readonly isWatching: boolean;
  /** A number that is too large or too small for the C library was seen. */
  readonly hasLeftRange: boolean;
  /** A HyperLogLog may be under the name of another key. */
  readonly hasMovedHll: boolean;
  /** A score other than 0 may have been given. */
  readonly hasScores: boolean;
}

export const AT_BEGIN: Situation = {
  isInMulti: false,
  isWatching: false,
  hasLeftRange: false,
  hasMovedHll: false,
  hasScores: false,
};

/** The situation after `step`. */
export function after(step: Step, before: Situation): Situation {
  const name = lower(step, 0);
  const { isInMulti } = before;
  const next = {
    ...before,
    hasLeftRange: before.hasLeftRange || step.some((arg) => isBeyondRange(arg)),
    hasMovedHll: before.hasMovedHll || mayNameHll(step),
    hasScores: before.hasScores || givesScores(step),
  };
  if (name === 'watch' && step.length > 1 && !isInMulti) return { ...next, isWatching: true };
  // EXEC ends the transaction even if it is refused for its arguments.
  const isAlone = step.length === 1;
  if (isAlone && name === 'multi') return { ...next, isInMulti: true };
  const isEnd = name === 'exec' || (isAlone && (name === 'discard' || name === 'reset'));
  return isEnd ? { ...next, isInMulti: false, isWatching: false } : next;
}

const MOVING = new Set(['rename', 'renamenx', 'copy', 'restore', '!transfer', 'bitop']);
const MAKING_HLL = new Set(['pfadd', 'pfmerge']);
const SCORED = new Set([
  'zadd',
  'zincrby',
  'geoadd',
  'zunionstore',
  'zinterstore',
  'restore',
  'sort',
]);

/** Whether it may put a HyperLogLog under the name of another key. */
function mayNameHll(step: Step): boolean {
  const name = lower(step, 0);
  if (MAKING_HLL.has(name)) return step[1]?.includes('hll') === false;
  return MOVING.has(name) && step.some((arg) => arg.includes('hll'));
}

function givesScores(step: Step): boolean {
  return (
    SCORED.has(lower(step, 0)) && step.slice(2).some((arg) => /^[^a-z]*[1-9]/i.test(String(arg)))
  );
}

/** Whether strtod() or strtoull() would say ERANGE. */
function isBeyondRange(arg: Buffer): boolean {
  if (arg.length > WORD_BYTES) return false;
  // The bound of a range may be open.
  const text = arg.toString('latin1').replace(/^[([]/, '');
  if (/\d{20}/.test(text)) return true;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return false;
  const value = Math.abs(Number(text));
  return value === Infinity || (value < DOUBLE_MIN && /^[^e]*[1-9]/i.test(text));
}

/** Smallest normal double. */
const DOUBLE_MIN = 2 ** -1022;
