/**
 * When two replies to one command agree. Most must be the same bytes; where Redis promises less (order of a hash table,
 * random members, times), what it does promise is checked.
 */
import { type Step, lower, nameOf } from './program.ts';
import { aggregate, content, isError, isNull, leaves } from './wire.ts';

/** A reply and those to the probes before and after it, of one server. */
export type Replies = readonly [reply: Buffer, ...probes: Buffer[]];

export interface Judge {
  /** Asked of both servers directly before the command, unless it was inside MULTI. */
  readonly before?: (step: Step) => readonly Step[];
  /** Asked directly after it. */
  readonly probes?: (step: Step) => readonly Step[];
  /** Without probes when the command ran inside a transaction. */
  readonly agree: (ours: Replies, real: Replies, step: Step) => boolean;
  /** Keys whose value is a matter of chance after the command: they are made equal afterwards. */
  readonly chanceKeys?: (step: Step, real: Replies) => readonly Buffer[];
  /** Whether it is the first step of a walk with a cursor, which the runner follows to its end. */
  readonly isWalk?: boolean;
}

const TIME_TOLERANCE_MS = 4000;
/** Numbers above are moments in milliseconds. */
const MOMENT_MS = 1e11;

/** What to expect of `step`. */
export function judgeOf(step: Step): Judge {
  const name = nameOf(step);
  if (name === 'xadd') return step.some((arg, i) => i > 1 && isStar(arg)) ? NEW_ID : SAME;
  if (name === 'sort' || name === 'sort_ro') return sortOf(step);
  if (name.startsWith('georadius') || name === 'geosearch') return PLACES;
  if (LEXICAL.has(name) || (/^zrange(?:store)?$/.test(name) && hasWord(step, 'bylex'))) {
    return ['zremrangebylex', 'zrangestore'].includes(name) ? LEXICAL_CHANGE : LEXICAL_READ;
  }
  if (WALKS.has(name)) return walkOf(step);
  return JUDGES[name] ?? SAME;
}

function sortOf(step: Step): Judge {
  const patterns = step.slice(3).filter((_, i) => lower(step, i + 2) === 'by');
  if (patterns.length === 0) return SORTED;
  // One that leads nowhere counts, whatever others say after it.
  if (patterns.some((pattern) => !pattern.includes('*'))) return UNSORTED;
  // Elements of equal numbers come in their own order.
  return hasWord(step, 'alpha') ? SORTED_BY : SAME;
}

const WALKS = new Set(['scan', 'hscan', 'sscan', 'zscan']);

const LEXICAL = new Set(['zlexcount', 'zrangebylex', 'zrevrangebylex', 'zremrangebylex']);

function hasWord(step: Step, word: string): boolean {
  return step.some((_, i) => lower(step, i) === word);
}

function isStar(arg: Buffer): boolean {
  return arg.length === 1 && arg[0] === 0x2a;
}

const SAME: Judge = { agree: ([ours], [real]) => ours.equals(real) };

const ANY_ORDER: Judge = { agree: ([ours], [real]) => isSameCollection(ours, real, 1) };

/**
 * SORT by patterns: equal texts come in any order, of which LIMIT may take any part and STORE keep it.
 * Source: behaviour of redis-server 7.0.15.
 */
const SORTED_BY: Judge = {
  agree: ([ours], [real], step) =>
    isSameCollection(ours, real, 1) ||
    (hasWord(step, 'limit') &&
      aggregate(real) !== undefined &&
      aggregate(ours)?.head === aggregate(real)?.head),
  chanceKeys: (step) => optionValue(step, 'store'),
};

/** SORT by a pattern that leads nowhere: lists and sorted sets keep their own order, or have it turned round. */
const UNSORTED: Judge = {
  before: ([, key]) => (key === undefined ? [] : [words('TYPE', key)]),
  agree: (ours, real, step) => (hasOwnOrder(real) ? SAME : SORTED_BY).agree(ours, real, step),
  chanceKeys: (step, real) => (hasOwnOrder(real) ? [] : optionValue(step, 'store')),
};

function hasOwnOrder([, type]: Replies): boolean {
  return type !== undefined && /^\+(?:list|zset)\r\n$/.test(type.toString('latin1'));
}

/** SORT by the elements: its alphabetical comparison ends at a zero byte, and what is equal comes in any order. */
const SORTED: Judge = {
  agree: ([ours], [real], step) => {
    if (ours.equals(real)) return true;
    const [mine, theirs] = [aggregate(ours), aggregate(real)];
    if (mine?.head !== theirs?.head || !hasWord(step, 'alpha')) return false;
    const cut = ({ items }: { items: readonly Buffer[] }): string[] =>
      items.map((item) => content(item).toString('latin1').replace(/\0.*/s, ''));
    return hasWord(step, 'get') || isSameText(cut(mine!), cut(theirs!));
  },
};

/** Members in lexical order are a promise only where all scores are equal: else chance decides what a range finds. */
const LEXICAL_READ: Judge = {
  before: scoreEnds,
  agree: (ours, real) =>
    ours[0].equals(real[0]) || (hasMixedScores(real) && isSameKind(ours, real)),
};

const LEXICAL_CHANGE: Judge = {
  ...LEXICAL_READ,
  chanceKeys: (step, real) => (hasMixedScores(real) && step.length > 1 ? [step[1]!] : []),
};

function scoreEnds(step: Step): readonly Step[] {
  const key = step[lower(step, 0) === 'zrangestore' ? 2 : 1];
  if (key === undefined) return [];
  return ['0', '-1'].map((rank) => words('ZRANGE', key, rank, rank, 'WITHSCORES'));
}

/** Nobody asked inside a transaction: there it may be so. */
function hasMixedScores([, first, last]: Replies): boolean {
  if (first === undefined || last === undefined) return true;
  return leaves(first).at(-1) !== leaves(last).at(-1);
}

function isSameKind([ours]: Replies, [real]: Replies): boolean {
  return isError(ours) ? ours.equals(real) : ours[0] === real[0];
}

/** The argument behind the last `word`. */
function optionValue(step: Step, word: string): readonly Buffer[] {
  for (let i = step.length - 2; i > 0; i--) if (lower(step, i) === word) return [step[i + 1]!];
  return [];
}

/** Without an order asked for, places come in the order of the areas that were searched. */
const PLACES: Judge = {
  agree: ([ours], [real], step) =>
    ours.equals(real) ||
    (!step.some((_, i) => ['asc', 'desc', 'count'].includes(lower(step, i))) &&
      isSameCollection(ours, real, 1)),
};

/** In any order when the value is a hash table, in Redis's own when it is packed. */
const MEMBERS: Judge = { probes: encodingOf, agree: (ours, real) => isSameOrHashed(ours, real, 1) };
const PAIRS: Judge = { probes: encodingOf, agree: (ours, real) => isSameOrHashed(ours, real, 2) };

function encodingOf(step: Step): readonly Step[] {
  return step.length < 2 ? [] : [words('OBJECT', 'ENCODING', step[1]!)];
}

function words(...items: readonly (string | Buffer)[]): Step {
  return items.map((item) => (typeof item === 'string' ? Buffer.from(item, 'latin1') : item));
}

function isSameOrHashed(ours: Replies, real: Replies, width: 1 | 2): boolean {
  const [, oursEncoding] = ours;
  const [, realEncoding] = real;
  if (oursEncoding !== undefined && realEncoding !== undefined) {
    if (!oursEncoding.equals(realEncoding)) return false;
    const isPacked = ['listpack', 'intset'].includes(content(realEncoding).toString());
    if (isPacked) return ours[0].equals(real[0]);
  }
  return isSameCollection(ours[0], real[0], width);
}

function isSameCollection(ours: Buffer, real: Buffer, width: 1 | 2): boolean {
  if (ours.equals(real)) return true;
  const [mine, theirs] = [aggregate(ours), aggregate(real)];
  if (mine === undefined || theirs === undefined || mine.head !== theirs.head) return false;
  return isSameText(sorted(mine.items, width), sorted(theirs.items, width));
}

/** Elements, or pairs of elements, as text in order. */
export function sorted(items: readonly (Buffer | string)[], width: 1 | 2): string[] {
  const found: string[] = [];
  for (let i = 0; i < items.length; i += width) {
    let text = '';
    for (const item of items.slice(i, i + width)) {
      text += typeof item === 'string' ? item : item.toString('latin1');
    }
    found.push(text);
  }
  return found.sort();
}

export function isSameText(ours: readonly string[], real: readonly string[]): boolean {
  return ours.length === real.length && ours.every((text, i) => text === real[i]);
}

/** A whole number that may be off by `tolerance`, when neither is a small special one. */
function near(tolerance: number): Judge {
  return {
    agree: ([ours], [real]) => ours.equals(real) || isNearNumber(ours, real, tolerance),
  };
}

function isNearNumber(ours: Buffer | string, real: Buffer | string, tolerance: number): boolean {
  const [mine, theirs] = [numberOf(ours), numberOf(real)];
  return mine >= 0 && theirs >= 0 && Math.abs(mine - theirs) <= tolerance;
}

function numberOf(reply: Buffer | string): number {
  const text = reply.toString();
  return text.startsWith(':') ? Number(text.slice(1)) : Number.NaN;
}

/** Only of the same kind: an error must be the same one, any value will do. */
const SAME_KIND: Judge = {
  agree: ([ours], [real]) =>
    ours.equals(real) ||
    (!isError(ours) && !isError(real) && ours[0] === real[0] && isNull(ours) === isNull(real)),
};

/** Members by chance: as many, all of them there, none twice unless the count is negative. */
function sample(probe: readonly string[], ...tail: readonly string[]): Judge {
  return {
    probes: (step) => (step.length < 2 ? [] : [words(...probe, step[1]!, ...tail)]),
    agree: (ours, real, step) => {
      if (ours[0].equals(real[0])) return true;
      if (isError(ours[0]) || isError(real[0]) || ours[0][0] !== real[0][0]) return false;
      if (aggregate(ours[0])?.head !== aggregate(real[0])?.head) return false;
      const width = step.length > 3 ? 2 : 1;
      const mayRepeat = (step[2]?.[0] ?? 0) === 0x2d;
      return isSample(ours, { width, mayRepeat }) && isSample(real, { width, mayRepeat });
    },
  };
}

interface SampleForm {
  /** 2 when values or scores come with the members. */
  readonly width: 1 | 2;
  readonly mayRepeat: boolean;
}

function isSample([reply, everything]: Replies, { width, mayRepeat }: SampleForm): boolean {
  const drawn = leaves(reply);
  const chosen = sorted(drawn, width);
  if (!mayRepeat && new Set(chosen).size !== chosen.length) return false;
  if (everything === undefined) return true;
  const known = leaves(everything);
  const isPlainSet = everything[0] !== 0x25 && width === 1;
  const members = new Set(width === 2 ? sorted(known, 2) : known);
  return isPlainSet || width === 2
    ? chosen.every((each) => members.has(each))
    : chosen.every((each) => known.includes(each));
}

/** SPOP: what was taken and what is left are the same together. */
const TAKEN: Judge = {
  probes: (step) => (step.length < 2 ? [] : [words('SMEMBERS', step[1]!)]),
  agree: ([ours, oursLeft], [real, realLeft]) => {
    if (isError(ours) || isError(real)) return ours.equals(real);
    if (ours[0] !== real[0] || aggregate(ours)?.head !== aggregate(real)?.head) return false;
    if (oursLeft === undefined || realLeft === undefined) return true;
    const mine = leavesWithoutNull(ours, oursLeft);
    const theirs = leavesWithoutNull(real, realLeft);
    return isSameText(mine.sort(), theirs.sort()) && new Set(mine).size === mine.length;
  },
  chanceKeys: (step) => (step.length < 2 ? [] : [step[1]!]),
};

function leavesWithoutNull(...replies: readonly Buffer[]): string[] {
  return replies.filter((reply) => !isNull(reply)).flatMap((reply) => leaves(reply));
}

/** XADD with an id from the clock. */
const NEW_ID: Judge = {
  agree: ([ours], [real]) =>
    ours.equals(real) || (isId(content(ours)) && isId(content(real)) && !isError(ours)),
  chanceKeys: (step) => (step.length < 2 ? [] : [step[1]!]),
};

function isId(text: Buffer): boolean {
  return /^\d{13}-\d+$/.test(text.toString('latin1'));
}

/** Everything alike, except moments and idle times, and how the radix tree of Redis is built. */
const TIMED: Judge = {
  agree: ([ours], [real]) => {
    if (ours.equals(real)) return true;
    const [mine, theirs] = [leaves(ours), leaves(real)];
    return (
      mine.length === theirs.length &&
      mine.every((text, i) => text === theirs[i] || mayDiffer(mine[i - 1] ?? '', text, theirs[i]!))
    );
  },
};

function mayDiffer(before: string, ours: string, real: string): boolean {
  if (before.endsWith('radix-tree-nodes\r\n')) return true;
  const isTime =
    before.endsWith('idle\r\n') || Math.min(numberOf(ours), numberOf(real)) > MOMENT_MS;
  return isTime && isNearNumber(ours, real, TIME_TOLERANCE_MS);
}

/** XPENDING with a range: id, consumer, idle time, deliveries of each. */
const PENDING: Judge = {
  agree: ([ours], [real], step) => {
    if (ours.equals(real)) return true;
    const [mine, theirs] = [leaves(ours), leaves(real)];
    if (step.length <= 3 || isError(ours) || mine.length !== theirs.length) return false;
    return mine.every(
      (text, i) =>
        text === theirs[i] || (i % 4 === 2 && isNearNumber(text, theirs[i]!, TIME_TOLERANCE_MS)),
    );
  },
};

/** RANDOMKEY: none on both, or a key of its own on each. It would remove what has expired as it comes upon it. */
const ANY_KEY: Judge = {
  before: () => [words('SCAN', '0', 'COUNT', '1000000')],
  probes: () => [words('KEYS', '*')],
  agree: (ours, real) =>
    isError(ours[0]) === isError(real[0]) &&
    (!isError(real[0]) || ours[0].equals(real[0])) &&
    isNull(ours[0]) === isNull(real[0]) &&
    (isNull(ours[0]) ||
      isError(ours[0]) ||
      [ours, real].every(([reply, , keys]) =>
        isSample(keys === undefined ? [reply] : [reply, keys], { width: 1, mayRepeat: true }),
      )),
  chanceKeys: () => [],
};

/** A transaction of Redis holds on to values until it is propagated; a shared integer has no count. */
const REFERENCES: Judge = {
  agree: ([ours], [real]) => ours.equals(real) || isNearNumber(ours, real, 8),
};

/** A walk with a cursor. One that sees everything at once needs no following, which costs a round trip. */
function walkOf(step: Step): Judge {
  const cursorAt = lower(step, 0) === 'scan' ? 1 : 2;
  if (lower(step, cursorAt) !== '0') return lower(step, 0) === 'scan' ? MIDDLE : SAME_KIND;
  const count = optionValue(step, 'count')[0]?.toString('latin1') ?? '';
  return /^\d{4,9}$/.test(count) ? WHOLE_WALK : WALK;
}

/** What a cursor from nowhere visits is chance, and what has expired of it goes: nothing must be left to go. */
const MIDDLE: Judge = {
  before: () => [words('SCAN', '0', 'COUNT', '1000000')],
  agree: SAME_KIND.agree,
  chanceKeys: () => [],
};

const WALK: Judge = { agree: SAME_KIND.agree, isWalk: true };

const WHOLE_WALK: Judge = {
  agree: ([ours], [real], step) => {
    if (ours.equals(real)) return true;
    const [mine, theirs] = [ours, real].map((reply) => aggregate(reply)?.items ?? []);
    const [cursors, items] = [0, 1].map((i) => [mine![i], theirs![i]]);
    const [one, other] = cursors!.map((cursor) => cursor && content(cursor).toString());
    if (one !== '0' || other !== '0') return SAME_KIND.agree([ours], [real], step);
    const [a, b] = items!;
    const width = ['hscan', 'zscan'].includes(lower(step, 0)) ? 2 : 1;
    return a !== undefined && b !== undefined && isSameCollection(a, b, width);
  },
};

const JUDGES: Readonly<Record<string, Judge>> = {
  dump: SAME_KIND,
  expiretime: near(TIME_TOLERANCE_MS / 1000),
  hgetall: PAIRS,
  hkeys: MEMBERS,
  hrandfield: sample(['HGETALL']),
  hvals: MEMBERS,
  keys: ANY_ORDER,
  'memory|usage': SAME_KIND,
  // Of a shared integer it is the idle time of all keys that share it.
  'object|idletime': SAME_KIND,
  'object|refcount': REFERENCES,
  pexpiretime: near(TIME_TOLERANCE_MS),
  pttl: near(TIME_TOLERANCE_MS),
  randomkey: ANY_KEY,
  sdiff: ANY_ORDER,
  sinter: ANY_ORDER,
  smembers: MEMBERS,
  spop: TAKEN,
  srandmember: sample(['SMEMBERS']),
  sunion: ANY_ORDER,
  ttl: near(TIME_TOLERANCE_MS / 1000),
  wait: SAME_KIND,
  'xinfo|consumers': TIMED,
  'xinfo|groups': TIMED,
  'xinfo|stream': TIMED,
  xpending: PENDING,
  zrandmember: sample(['ZRANGE'], '0', '-1', 'WITHSCORES'),
};
