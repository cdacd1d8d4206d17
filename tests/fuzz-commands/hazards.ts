/**
 * Commands that two servers cannot be asked at the same moment with the same answer, or that would take all memory:
 * they are never run, whoever made them. What is close to now is the fuzzer's one enemy.
 */
import { type Situation, type Step, integerAt, lower } from './program.ts';

/** A time this many milliseconds, or seconds, away will not come while a program runs. */
const FAR_AWAY = 100_000n;
/** Absolute times up to here are past, and from there on far away, in seconds. */
const PAST_SECONDS = 1_600_000_000n;
const FUTURE_SECONDS = 4_000_000_000n;
/** So many random elements may be asked for with repetition. */
const RANDOM_COUNT_MAX = 1000n;
const BLOCK_MS_MAX = 30;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** Now is before: from there on a sum with it is too large for 64 bits. */
const NOW_MS_MAX = 2n ** 41n;
/** We keep 48 bits of a time, Redis 64: docs/compatibility.md has the divergence. */
const KEPT_MS_MAX = 2n ** 48n - 2n ** 42n;

const SCORES = new Set(['zadd', 'zincrby', 'geoadd']);
/** A negative weight makes -0 of 0. */
const WEIGHTED = new Set(['zunionstore', 'zinterstore']);
const SORTING = new Set(['sort', 'sort_ro']);
const RELATIVE = new Set(['setex', 'psetex', 'expire', 'pexpire', 'restore']);
const ABSOLUTE = new Set(['expireat', 'pexpireat']);
const BLOCKING_LAST = new Set(['blpop', 'brpop', 'blmove', 'brpoplpush', 'bzpopmin', 'bzpopmax']);
const BLOCKING_FIRST = new Set(['blmpop', 'bzmpop']);
const RANDOM = new Set(['srandmember', 'hrandfield', 'zrandmember']);
const IDLE_TIMES = new Set(['xclaim', 'xautoclaim', 'xpending']);

/** Whether the command must not be run: nothing blocks inside MULTI. */
export function isHazardous(step: Step, situation: Situation): boolean {
  const { isInMulti, isWatching, hasLeftRange, hasMovedHll, hasScores } = situation;
  const name = lower(step, 0);
  // Redis fails as long as the C library's last complaint about a number is not overwritten by another.
  if (hasLeftRange && SORTING.has(name)) return true;
  // Which of equal weights come into a range is chance, and the keys that GET misses then tell of it.
  if (SORTING.has(name) && ['by', 'limit', 'get'].every((word) => has(step, word))) return true;
  // Between members of different scores it depends on the levels of a skip list.
  if (hasScores && isByLex(step)) return true;
  // A copied small integer is not a shared one there: docs/compatibility.md has the divergence.
  if (name === 'object' && lower(step, 1) === 'refcount') return true;
  // A damaged HyperLogLog is read here with more checks than there: docs/compatibility.md has the divergence.
  if (damagesHyperloglog(step) || (hasMovedHll && BYTE_COMMANDS.has(name))) return true;
  // A score of -0 becomes 0 where a large sorted set is loaded: docs/compatibility.md has the divergence.
  if (SCORES.has(name) && step.some((arg) => /^-0*\.?0*(?:e.*)?$/i.test(String(arg)))) return true;
  if (WEIGHTED.has(name) && step.some((arg) => String(arg).startsWith('-'))) return true;
  // The last bit of a stored distance is the C library's: docs/compatibility.md has the divergence.
  if (name.startsWith('geo') && has(step, 'storedist')) return true;
  if (RELATIVE.has(name)) return isNear(step, 2) || (name === 'restore' && isNearMoment(step, 2));
  if (ABSOLUTE.has(name)) return isNearMoment(step, 2);
  if (name === 'set' || name === 'getex') return hasNearOption(step);
  // A growth of which Redis tells nobody: docs/compatibility.md has the divergence.
  if (isWatching && growsUnseen(step)) return true;
  // A change of encoding is a change here: docs/compatibility.md has the divergence.
  if (isWatching && name === 'pfdebug') return true;
  if (RANDOM.has(name)) return isHugeCount(step);
  if (IDLE_TIMES.has(name)) return hasNearIdleTime(step);
  if (isInMulti) return name === 'wait';
  if (BLOCKING_LAST.has(name)) return blocksLong(step, step.length - 1, 1000);
  if (BLOCKING_FIRST.has(name)) return blocksLong(step, 1, 1000);
  if (name === 'xread' || name === 'xreadgroup') {
    return step.some((_, i) => lower(step, i) === 'block' && blocksLong(step, i + 1, 1));
  }
  return name === 'wait' && (integerAt(step, 1) ?? 0n) > 0n && blocksLong(step, 2, 1);
}

const BYTE_COMMANDS = new Set(['setrange', 'append', 'setbit', 'bitfield', 'bitop']);

/** Whether it may change a replica of Redis otherwise than its master, or the master alone. */
export function partsReplicas(step: Step): boolean {
  const name = lower(step, 0);
  // What chance decides is sent to replicas as it came: SORT among equal weights, members between mixed scores.
  if (name === 'sort') return has(step, 'by') && has(step, 'store');
  if (name === 'zremrangebylex' || (name === 'zrangestore' && has(step, 'bylex'))) return true;
  return growsUnseen(step);
}

function isByLex(step: Step): boolean {
  return lower(step, 0).includes('lex') || has(step, 'bylex');
}

function has(step: Step, word: string): boolean {
  return step.some((_, i) => lower(step, i) === word);
}

function damagesHyperloglog(step: Step): boolean {
  if (lower(step, 0) === 'set' && step.some((arg) => arg.includes('HYLL'))) return true;
  return BYTE_COMMANDS.has(lower(step, 0)) && step.some((arg) => arg.includes('hll'));
}

/** Whether it is a BITFIELD that may grow a value and fail: Redis tells neither replicas nor WATCH. */
function growsUnseen(step: Step): boolean {
  return lower(step, 0) === 'bitfield' && has(step, 'fail');
}

function isNear(step: Step, i: number): boolean {
  const value = integerAt(step, i);
  return (
    value !== undefined &&
    ((value > 0n && value < FAR_AWAY) || isNotKept(value, INT64_MAX - NOW_MS_MAX))
  );
}

/** As seconds or as milliseconds. */
function isNotKept(value: bigint, lastMs: bigint): boolean {
  return [1n, 1000n].some((unit) => {
    const timeMs = value * unit;
    return timeMs > KEPT_MS_MAX && timeMs <= lastMs;
  });
}

function isNearMoment(step: Step, i: number): boolean {
  const value = integerAt(step, i);
  if (value === undefined) return false;
  if (isNotKept(value, INT64_MAX)) return true;
  return [1n, 1000n].some((unit) => value > PAST_SECONDS * unit && value < FUTURE_SECONDS * unit);
}

function hasNearOption(step: Step): boolean {
  for (let i = 1; i + 1 < step.length; i++) {
    const option = lower(step, i);
    if ((option === 'ex' || option === 'px') && isNear(step, i + 1)) return true;
    if ((option === 'exat' || option === 'pxat') && isNearMoment(step, i + 1)) return true;
  }
  return false;
}

function isHugeCount(step: Step): boolean {
  const count = integerAt(step, 2);
  return count !== undefined && count < -RANDOM_COUNT_MAX && count > INT64_MIN;
}

function hasNearIdleTime(step: Step): boolean {
  const at = lower(step, 0) === 'xpending' ? [4] : [4, ...optionValues(step, 'idle', 'time')];
  return at.some((i) => isNear(step, i) || isNearMoment(step, i));
}

function optionValues(step: Step, ...options: readonly string[]): number[] {
  const found: number[] = [];
  for (let i = 1; i < step.length; i++) if (options.includes(lower(step, i))) found.push(i + 1);
  return found;
}

/** 0 is for ever. */
function blocksLong(step: Step, i: number, unitMs: number): boolean {
  const text = lower(step, i);
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) return text.startsWith('0x') || text.includes('inf');
  return value === 0 || value * unitMs > BLOCK_MS_MAX;
}
