/**
 * The command table as the dispatcher uses it: specs compiled to numbers, found by the bytes of a
 * name without making a string.
 */
import { invariant } from '../base/index.ts';
import type { Request } from '../resp/index.ts';
import type { CommandFlag, CommandSpecOf, HandlerOf, KeySpec } from './command-spec.ts';
import type { LatencyHistogram } from './latency-histogram.ts';

/** Flags as bits, for tests on the hot path. */
export const FLAG_WRITE: number = 1 << 0;
export const FLAG_READONLY: number = 1 << 1;
export const FLAG_DENYOOM: number = 1 << 2;
/** Runs a script, whose own flags count. */
export const FLAG_SCRIPT: number = 1 << 3;
export const FLAG_ADMIN: number = 1 << 4;
export const FLAG_PUBSUB: number = 1 << 5;
export const FLAG_NOSCRIPT: number = 1 << 6;
export const FLAG_BLOCKING: number = 1 << 7;
export const FLAG_LOADING: number = 1 << 8;
export const FLAG_STALE: number = 1 << 9;
export const FLAG_SKIP_MONITOR: number = 1 << 10;
export const FLAG_SKIP_SLOWLOG: number = 1 << 11;
export const FLAG_ASKING: number = 1 << 12;
export const FLAG_FAST: number = 1 << 13;
export const FLAG_NO_AUTH: number = 1 << 14;
export const FLAG_MAY_REPLICATE: number = 1 << 15;
export const FLAG_PROTECTED: number = 1 << 19;
export const FLAG_NO_ASYNC_LOADING: number = 1 << 21;
export const FLAG_NO_MULTI: number = 1 << 22;
export const FLAG_ALLOW_BUSY: number = 1 << 23;

const FLAG_BITS: Readonly<Partial<Record<CommandFlag, number>>> = {
  write: FLAG_WRITE,
  readonly: FLAG_READONLY,
  denyoom: FLAG_DENYOOM,
  admin: FLAG_ADMIN,
  pubsub: FLAG_PUBSUB,
  noscript: FLAG_NOSCRIPT,
  blocking: FLAG_BLOCKING,
  loading: FLAG_LOADING,
  stale: FLAG_STALE,
  skip_monitor: FLAG_SKIP_MONITOR,
  skip_slowlog: FLAG_SKIP_SLOWLOG,
  asking: FLAG_ASKING,
  fast: FLAG_FAST,
  no_auth: FLAG_NO_AUTH,
  may_replicate: FLAG_MAY_REPLICATE,
  protected: FLAG_PROTECTED,
  no_async_loading: FLAG_NO_ASYNC_LOADING,
  no_multi: FLAG_NO_MULTI,
  allow_busy: FLAG_ALLOW_BUSY,
};

/** Source: 7.0 commands.c, CMD_TOUCHES_ARBITRARY_KEYS. */
const ARBITRARY_KEYS: ReadonlySet<string> = new Set(['keys', 'randomkey', 'scan']);

/** Governed by enable-debug-command and enable-module-command; COMMAND INFO does not show it. */
const PROTECTED: ReadonlySet<string> = new Set([
  'debug',
  'module|load',
  'module|loadex',
  'module|unload',
]);

/** What they do may go on to replicas although they have no `write`; COMMAND INFO does not show it. Source: 7.0 behaviour under CLIENT PAUSE. */
const MAY_REPLICATE: ReadonlySet<string> = new Set([
  ...['eval', 'evalsha', 'fcall', 'pfcount', 'publish', 'spublish'],
]);

/** Their flags depend on what they run. */
const SCRIPT_RUNNERS: ReadonlySet<string> = new Set([
  ...['eval', 'eval_ro', 'evalsha', 'evalsha_ro', 'fcall', 'fcall_ro'],
]);

/** What a node counted of one command. */
export interface CommandCounters {
  calls: number;
  microseconds: number;
  failedCalls: number;
  rejectedCalls: number;
}

/** One command or subcommand of a node. A `Command` of no particular context can be asked, but not run. */
export class Command<C = never> {
  readonly spec: CommandSpecOf<C>;
  /** `config|get` for a subcommand. */
  readonly fullName: string;
  readonly arity: number;
  readonly flags: number;
  readonly run: HandlerOf<C> | undefined;
  readonly subcommands: ReadonlyMap<string, Command<C>>;
  readonly counters: CommandCounters = {
    calls: 0,
    microseconds: 0,
    failedCalls: 0,
    rejectedCalls: 0,
  };
  /** First key, last key (negative: from the end) and step when a plain range tells all; 0 for no keys. */
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keyStep: number;
  /** Whether keys must be found by `keyIndexes` rather than by the plain range. */
  readonly hasMovableKeys: boolean;
  /** Keys that it finds expired have nothing to do with each other: their deletions go to replicas one by one. */
  readonly touchesArbitraryKeys: boolean;
  readonly isContainer: boolean;
  /** Whether a call with few small arguments takes no longer in one place than in another. */
  readonly isShort: boolean;
  /** How long its calls took; undefined before the first that was measured. */
  durations: LatencyHistogram | undefined;
  readonly #keySpecs: readonly KeySpec[];

  constructor(spec: CommandSpecOf<C>, parent?: CommandSpecOf<C>) {
    this.spec = spec;
    this.fullName = parent === undefined ? spec.name : `${parent.name}|${spec.name}`;
    this.arity = spec.arity;
    this.flags = spec.flags.reduce((bits, flag) => bits | (FLAG_BITS[flag] ?? 0), 0);
    const names = [this.fullName, parent?.name ?? ''];
    if (names.some((name) => PROTECTED.has(name))) this.flags |= FLAG_PROTECTED;
    if (parent === undefined && MAY_REPLICATE.has(spec.name)) this.flags |= FLAG_MAY_REPLICATE;
    if (parent === undefined && SCRIPT_RUNNERS.has(spec.name)) this.flags |= FLAG_SCRIPT;
    this.run = spec.run;
    this.subcommands = new Map(
      (spec.subcommands ?? []).map((sub) => [sub.name, new Command(sub, spec)]),
    );
    this.isContainer = this.subcommands.size > 0;
    this.isShort = (this.flags & FLAG_FAST) !== 0 || spec.name === 'set';
    this.touchesArbitraryKeys = ARBITRARY_KEYS.has(spec.name);
    this.#keySpecs = (spec.keys ?? []).filter((key) => !key.flags.includes('not_key'));
    const range = plainRange(spec.keys ?? []);
    this.firstKey = range?.first ?? 0;
    this.lastKey = range?.last ?? 0;
    this.keyStep = range?.step ?? 0;
    this.hasMovableKeys = spec.flags.includes('movablekeys') || spec.findKeys !== undefined;
  }

  get hasKeys(): boolean {
    return this.firstKey !== 0 || this.hasMovableKeys;
  }

  /** The same without places of arguments that only pick a slot, as those of sharded channels. */
  get hasKeyArguments(): boolean {
    return this.hasMovableKeys || this.#keySpecs.length > 0;
  }

  acceptsCount(argc: number): boolean {
    return this.arity >= 0 ? argc === this.arity : argc >= -this.arity;
  }

  /** Argument indexes of all keys of a request; undefined when its arguments make no sense. */
  keyIndexes(request: Request): readonly number[] | undefined {
    if (this.spec.findKeys) return this.spec.findKeys(request);
    const found: number[] = [];
    for (const key of this.#keySpecs) {
      const indexes = keysOfSpec(key, request);
      if (indexes === undefined) return undefined;
      if (indexes.length === 0 && this.#mustHaveKeys(key)) return undefined;
      found.push(...indexes);
    }
    return found;
  }

  /** Whether a count of no keys is a mistake, as everywhere but in calls of scripts. */
  #mustHaveKeys({ find }: KeySpec): boolean {
    const isCounted = find !== 'unknown' && 'countAt' in find;
    return isCounted && !this.spec.flags.includes('no_mandatory_keys');
  }
}

/** The range that covers the range specs, as COMMAND's first, last and step have it. */
function plainRange(
  keys: readonly KeySpec[],
): { first: number; last: number; step: number } | undefined {
  let found: { first: number; last: number; step: number } | undefined;
  for (const { begin, find } of keys) {
    if (begin === 'unknown' || !('at' in begin) || find === 'unknown' || !('last' in find))
      continue;
    const last = find.last >= 0 ? begin.at + find.last : find.last;
    if (found === undefined) found = { first: begin.at, last, step: find.step };
    else if (found.last >= 0 && begin.at === found.last + 1 && last >= 0)
      found = { ...found, last };
    else if (last < 0) found = { ...found, last };
  }
  return found;
}

/** Argument indexes of the keys that one specification finds; undefined when the arguments make no sense. */
export function keysOfSpec(key: KeySpec, request: Request): readonly number[] | undefined {
  const { begin, find } = key;
  if (begin === 'unknown' || find === 'unknown') return [];
  let first: number;
  if ('at' in begin) {
    first = begin.at;
  } else {
    const at = findKeyword(request, begin.keyword.toLowerCase(), begin.startFrom);
    if (at === undefined) return [];
    first = at + 1;
  }
  const found: number[] = [];
  if ('last' in find) {
    let last = find.last >= 0 ? first + find.last : request.argc + find.last;
    if (find.last < 0 && find.limit > 1) {
      last = first + Math.floor((request.argc - first) / find.limit) - 1;
    }
    if (last >= request.argc) return undefined;
    for (let i = first; i <= last; i += find.step) found.push(i);
    return found;
  }
  const countAt = first + find.countAt;
  if (countAt >= request.argc) return undefined;
  const count = request.int(countAt);
  if (typeof count !== 'number' || count < 0) return undefined;
  const start = first + find.first;
  if (count > 0 && start + (count - 1) * find.step >= request.argc) return undefined;
  for (let i = 0; i < count; i++) found.push(start + i * find.step);
  return found;
}

function findKeyword(request: Request, word: string, startFrom: number): number | undefined {
  const isBackward = startFrom < 0;
  const from = isBackward ? request.argc + startFrom : startFrom;
  const step = isBackward ? -1 : 1;
  for (let i = from; i > 0 && i < request.argc; i += step) if (request.is(i, word)) return i;
  return undefined;
}

/** A command under the name that clients call it by. */
interface NamedCommand<C> {
  /** In lower case. */
  readonly name: Buffer;
  readonly command: Command<C>;
}

/** All commands of one node, with its counters. */
export class CommandTable<C = never> {
  readonly #buckets: (readonly NamedCommand<C>[])[];
  readonly #byName: Map<string, Command<C>> = new Map<string, Command<C>>();
  /** What was found last: clients mostly send the same command again. */
  #last: NamedCommand<C> | undefined;
  #each: readonly Command<C>[] | undefined;

  constructor(specs: readonly CommandSpecOf<C>[]) {
    this.#buckets = Array.from({ length: BUCKETS }, () => []);
    for (const spec of specs) {
      invariant(!this.#byName.has(spec.name), 'a command is defined once');
      this.#add(spec.name, new Command(spec));
    }
  }

  /** All commands, in the order of definition. */
  all(): Iterable<Command<C>> {
    return this.#byName.values();
  }

  /** All commands and subcommands, each container before its own. */
  each(): readonly Command<C>[] {
    this.#each ??= [...this.all()].flatMap((main) => [main, ...main.subcommands.values()]);
    return this.#each;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** The command of a name in any case; `config|get` finds a subcommand. */
  byName(name: string): Command<C> | undefined {
    const [main = '', sub, ...more] = name.toLowerCase().split('|');
    if (more.length > 0) return undefined;
    const command = this.#byName.get(main);
    return sub === undefined ? command : command?.subcommands.get(sub);
  }

  /** The command that a request's first argument names, in any case. */
  find(request: Request): Command<C> | undefined {
    const { buf } = request;
    const at = request.at[0]!;
    const size = request.size[0]!;
    const last = this.#last;
    if (last !== undefined && isNamed(last.name, buf, at, size)) return last.command;
    const bucket = this.#buckets[hashName(buf, at, size)]!;
    for (let i = 0; i < bucket.length; i++) {
      const named = bucket[i]!;
      if (!isNamed(named.name, buf, at, size)) continue;
      this.#last = named;
      return named.command;
    }
    return undefined;
  }

  /** The command or subcommand that a request names; a container only where it names no subcommand. */
  findNamed(request: Request): Command<C> | undefined {
    const main = this.find(request);
    return main !== undefined && main.isContainer && request.argc > 1
      ? main.subcommands.get(request.text(1).toLowerCase())
      : main;
  }

  /** rename-command: gives a command another name, or takes it away for an empty one. */
  rename(from: string, to: string): 'ok' | 'unknown' | 'taken' {
    const command = this.#byName.get(from.toLowerCase());
    if (command === undefined) return 'unknown';
    const name = to.toLowerCase();
    if (name !== '' && this.#byName.has(name)) return 'taken';
    this.#byName.delete(from.toLowerCase());
    const place = hashText(from.toLowerCase());
    this.#buckets[place] = this.#buckets[place]!.filter((named) => named.command !== command);
    this.#last = undefined;
    this.#each = undefined;
    if (name !== '') this.#add(name, command);
    return 'ok';
  }

  #add(name: string, command: Command<C>): void {
    this.#byName.set(name, command);
    const place = hashText(name);
    const named = { name: Buffer.from(name, 'latin1'), command };
    this.#buckets[place] = [...this.#buckets[place]!, named];
  }
}

const BUCKETS = 1024;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const LOWER_BIT = 0x20;

function hashName(buf: Uint8Array, at: number, size: number): number {
  let hash = size;
  for (let i = at, end = at + size; i < end; i++)
    hash = (Math.imul(hash, 31) + (buf[i]! | LOWER_BIT)) | 0;
  return (hash ^ (hash >>> 10)) & (BUCKETS - 1);
}

/** Whether the bytes are a name given in lower case, letters compared without case. */
function isNamed(name: Uint8Array, buf: Uint8Array, at: number, size: number): boolean {
  if (size !== name.length) return false;
  for (let i = 0; i < size; i++) {
    let byte = buf[at + i]!;
    if (byte >= UPPER_A && byte <= UPPER_Z) byte |= LOWER_BIT;
    if (byte !== name[i]) return false;
  }
  return true;
}

function hashText(text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  return hashName(bytes, 0, bytes.length);
}
