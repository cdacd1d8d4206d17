/**
 * Commands of the stream in words that the target knows. Newer servers tell their replicas things in a form that older
 * ones do not read, though these could do the same; and older ones give times to live, which are over too late where the
 * stream had to wait. What cannot be said in other words goes as it came: the target's refusal ends the run.
 */
import { commandSpecs } from '../../commands/index.ts';
import { VERSION_OF_REDIS_4, VERSION_OF_REDIS_5 } from '../../rdb/index.ts';
import type { Request } from '../../resp/index.ts';
import { isLaterCommand } from './command-keys.ts';
import type { Abilities, FieldExpiryPolicy, PayloadFitter } from '../flow/index.ts';

type Words = readonly (Buffer | string)[];
/** Undefined: as it came. Without any words: nothing is to be done. */
type Rule = (request: Request) => Words | undefined;

export interface CommandFitterOptions {
  readonly target: Abilities;
  readonly fitter: PayloadFitter;
  /** Whether the source may tell times to live (before Redis 7). */
  readonly hasRelativeTimes: boolean;
  readonly policy: FieldExpiryPolicy;
}

const VERSION_OF_REDIS_7 = 10;
const NOTHING: Words = [];
/** Keeps the time to live of a key, as SET with KEEPTTL does. */
const SET_KEEPING_TTL = `local t=redis.call('PTTL',KEYS[1])
redis.call('SET',KEYS[1],ARGV[1])
if t>0 then redis.call('PEXPIRE',KEYS[1],t) end`;
const MOVE_ELEMENT = `local v=redis.call(ARGV[1],KEYS[1])
if v then redis.call(ARGV[2],KEYS[2],v) end`;

/** Masters tell their replicas of these in words of older commands. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set([
  ...['getex', 'getdel', 'hgetdel', 'delifeq', 'xautoclaim', 'fcall', 'blmove', 'lmove', 'unlink'],
  ...['lmpop', 'blmpop', 'zmpop', 'bzmpop', 'hgetex', 'restore-asking'],
]);
const WRITING: ReadonlySet<string> = new Set(
  commandSpecs.filter(({ flags }) => flags.includes('write')).map(({ name }) => name),
);

/** Whether a command that the source has run, in lower case, can have its effects on the target. */
export function canCarryOut(command: string, target: Abilities): boolean {
  if (target.knows(command) || TOLD_OTHERWISE.has(command)) return true;
  return !WRITING.has(command) && !isLaterCommand(command);
}

export class CommandFitter {
  readonly #target: Abilities;
  readonly #fitter: PayloadFitter;
  readonly #rules: ReadonlyMap<string, Rule>;
  readonly #times: ReadonlyMap<string, Rule>;
  /** When what is read now came from the source. */
  arrivedUnixMs = 0;

  constructor({ target, fitter, hasRelativeTimes, policy }: CommandFitterOptions) {
    this.#target = target;
    this.#fitter = fitter;
    this.#rules = new Map([
      ...this.#rulesBefore5(),
      ...this.#rulesBefore7(),
      ...(policy === 'drop' && !target.hasFieldExpiry ? FIELD_EXPIRY_RULES : []),
    ]);
    this.#times = new Map(hasRelativeTimes ? this.#timeRules() : []);
  }

  /** Whether every command goes as it came. */
  get isIdle(): boolean {
    return this.#rules.size === 0 && this.#times.size === 0;
  }

  /** With a moment in place of a time to live. Undefined: as it came. */
  absolute(request: Request): Words | undefined {
    return this.#times.get(request.text(0).toLowerCase())?.(request);
  }

  /** As the target knows it. Undefined: as it came; without words: not at all. */
  fit(request: Request): Words | undefined {
    return this.#rules.get(request.text(0).toLowerCase())?.(request);
  }

  #rulesBefore5(): [string, Rule][] {
    const target = this.#target;
    const rules: [string, Rule][] = [];
    if (!target.knows('unlink')) rules.push(['unlink', (request) => ['DEL', ...rest(request, 1)]]);
    if (!target.takesPayload(VERSION_OF_REDIS_4)) {
      rules.push([
        'hset',
        (request) => (request.argc > 4 ? ['HMSET', ...rest(request, 1)] : undefined),
      ]);
    }
    const takesAll = [VERSION_OF_REDIS_7, 11, 12].every((each) => target.takesPayload(each));
    if (!takesAll) {
      for (const name of ['restore', 'restore-asking']) {
        rules.push([name, (request) => this.#restore(request)]);
      }
    }
    return rules;
  }

  #rulesBefore7(): [string, Rule][] {
    const target = this.#target;
    const rules: [string, Rule][] = [];
    if (!target.knows('getex')) {
      const hasKeepTtl = target.knows('acl');
      rules.push(
        ['set', (request) => this.#set(request, hasKeepTtl)],
        ['lpop', (request) => popMany(request)],
        ['rpop', (request) => popMany(request)],
        ['lmove', (request) => moveElement(request)],
      );
    }
    if (target.takesPayload(VERSION_OF_REDIS_7)) return rules;
    const hasConsumers = target.knows('getex');
    rules.push(
      ['xsetid', (request) => (request.argc > 3 ? rest(request, 0, 3) : undefined)],
      ['xgroup', (request) => xgroup(request, hasConsumers)],
    );
    return rules;
  }

  /** The payload made to suit the target, and the moment as a time to live where it knows no other. */
  #restore(request: Request): Words | undefined {
    if (request.argc < 4) return undefined;
    const payload = this.#fitter.fitPayload(request.copy(3));
    if (!Buffer.isBuffer(payload)) return undefined;
    const words: (Buffer | string)[] = [...rest(request, 0, 3), payload, ...rest(request, 4)];
    const at = wordAt(request, 'absttl', 4);
    if (at === undefined || this.#target.takesPayload(VERSION_OF_REDIS_5)) return words;
    const ttl = String(toLive(Number(request.text(2))));
    return words.with(2, ttl).toSpliced(at, 1);
  }

  /** SET of before 6.2: times to live only, and before 6.0 no KEEPTTL. */
  #set(request: Request, hasKeepTtl: boolean): Words | undefined {
    const px = wordAt(request, 'pxat', 3);
    const at = px ?? wordAt(request, 'exat', 3);
    if (at !== undefined) {
      const unixMs = Number(request.text(at + 1)) * (px === undefined ? 1000 : 1);
      return [...rest(request, 0, 3), 'PX', String(toLive(unixMs))];
    }
    if (hasKeepTtl || wordAt(request, 'keepttl', 3) === undefined) return undefined;
    return ['EVAL', SET_KEEPING_TTL, '1', ...rest(request, 1, 3)];
  }

  #timeRules(): [string, Rule][] {
    const at = (request: Request, index: number, unitMs: number): string =>
      String(this.arrivedUnixMs + Number(request.text(index)) * unitMs);
    const expire =
      (unitMs: number): Rule =>
      (request) =>
        request.argc === 3 ? ['PEXPIREAT', request.copy(1), at(request, 2, unitMs)] : undefined;
    const setex =
      (unitMs: number): Rule =>
      (request) =>
        request.argc === 4
          ? ['SET', request.copy(1), request.copy(3), 'PXAT', at(request, 2, unitMs)]
          : undefined;
    return [
      ['expire', expire(1000)],
      ['pexpire', expire(1)],
      ['setex', setex(1000)],
      ['psetex', setex(1)],
      [
        'set',
        (request) => {
          const px = wordAt(request, 'px', 3);
          const word = px ?? wordAt(request, 'ex', 3);
          if (word === undefined) return undefined;
          const moment = at(request, word + 1, px === undefined ? 1000 : 1);
          return [...rest(request, 0, 3), 'PXAT', moment];
        },
      ],
    ];
  }
}

/** What is left of commands about fields that expire where none do. */
const FIELD_EXPIRY_RULES: readonly [string, Rule][] = [
  ...['hexpire', 'hpexpire', 'hexpireat', 'hpexpireat', 'hpersist', 'hgetex'].map(
    (name): [string, Rule] => [name, () => NOTHING],
  ),
  [
    'hsetex',
    (request) => {
      const fields = wordAt(request, 'fields', 2);
      if (fields === undefined) return undefined;
      return ['HSET', request.copy(1), ...rest(request, fields + 2)];
    },
  ],
];

/** LPOP and RPOP of several elements. */
function popMany(request: Request): Words | undefined {
  if (request.argc !== 3) return undefined;
  const count = Number(request.text(2));
  const key = request.copy(1);
  return request.is(0, 'lpop')
    ? ['LTRIM', key, String(count), '-1']
    : ['LTRIM', key, '0', String(-count - 1)];
}

function moveElement(request: Request): Words | undefined {
  if (request.argc !== 5) return undefined;
  const [from, to] = [request.is(3, 'left'), request.is(4, 'left')];
  if (!from && to) return ['RPOPLPUSH', ...rest(request, 1, 3)];
  const pop = from ? 'LPOP' : 'RPOP';
  return ['EVAL', MOVE_ELEMENT, '2', ...rest(request, 1, 3), pop, to ? 'LPUSH' : 'RPUSH'];
}

/** Without counts of entries read; a consumer is made by reading nothing. */
function xgroup(request: Request, hasConsumers: boolean): Words | undefined {
  if (!hasConsumers && request.argc === 5 && request.is(1, 'createconsumer')) {
    const [key, group, consumer] = rest(request, 2);
    return ['XREADGROUP', 'GROUP', group!, consumer!, 'COUNT', '1', 'STREAMS', key!, '0'];
  }
  const at = wordAt(request, 'entriesread', 5);
  return at === undefined ? undefined : [...rest(request, 0, at), ...rest(request, at + 2)];
}

function rest(request: Request, from: number, to: number = request.argc): Buffer[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => request.copy(from + i));
}

function wordAt(request: Request, word: string, from: number): number | undefined {
  for (let i = from; i < request.argc; i++) if (request.is(i, word)) return i;
  return undefined;
}

/** A time to live of nothing is refused. */
function toLive(unixMs: number): number {
  return Math.max(1, unixMs - Date.now());
}
