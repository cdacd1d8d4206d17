/** Runs programs on two servers side by side and says where they first differ. */
import type { Finding, FindingKind } from './finding.ts';
import { type Judge, type Replies, isSameText, judgeOf, sorted } from './judges.ts';
import { AT_BEGIN, type Program, type Situation, type Step, after, lower } from './program.ts';
import { type Server, ServerLost, stepOf } from './server.ts';
import { aggregate, content, isError, isNull } from './wire.ts';

/** So many calls may a walk with a cursor take. */
const WALK_CALLS_MAX = 20_000;
const DIGEST = stepOf('DEBUG', 'DIGEST');
const NOTHING = Buffer.alloc(0);

export interface RunnerOptions {
  readonly ours: Server;
  readonly real: Server;
  /** CONFIG SET that undoes what a program may have set. */
  readonly defaults: Step;
  /** Further comparison at the end of each program. */
  readonly afterwards?: () => Promise<Finding | undefined>;
}

/** One command in a batch that was sent, with what follows it at once. */
interface Entry {
  readonly at: number;
  readonly step: Step;
  readonly judge: Judge;
  readonly before: number;
  readonly probes: number;
  readonly hasDigest: boolean;
}

type Pair = readonly [ours: readonly Buffer[], real: readonly Buffer[]];

let marks = 0;

export class Runner {
  readonly #options: RunnerOptions;
  #commands = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Commands of programs that were run, on each server. */
  get commands(): number {
    return this.#commands;
  }

  /** `isCareful` compares the whole data after every command, to see which one it was. */
  async run(program: Program, isCareful: boolean = false): Promise<Finding | undefined> {
    const run = new ProgramRun(this.#options, program, isCareful);
    this.#commands += program.steps.length;
    try {
      return (await run.toEnd()) ?? (await this.#options.afterwards?.());
    } catch (error) {
      if (!(error instanceof ServerLost)) throw error;
      const { ours, real } = this.#options;
      for (const server of [ours, real]) await server.recover(server === error.server);
      const replies = [ours, real].map((each) => (each === error.server ? error.message : 'runs'));
      return { kind: 'lost', at: undefined, step: [], ours: replies[0]!, real: replies[1]! };
    }
  }
}

class ProgramRun {
  readonly #options: RunnerOptions;
  readonly #program: Program;
  readonly #isCareful: boolean;
  readonly #mark: string = `mark-${++marks}-end`;
  #entries: Entry[] = [];
  #batch: Step[] = [];
  /** Commands that wait for EXEC, as the real server has them. */
  #queued: Step[] = [];
  /** What the real server said to the last command. */
  #last: Replies | undefined;

  constructor(options: RunnerOptions, program: Program, isCareful: boolean) {
    this.#options = options;
    this.#program = program;
    this.#isCareful = isCareful;
  }

  async toEnd(): Promise<Finding | undefined> {
    await this.#begin();
    let situation = AT_BEGIN;
    for (const [at, step] of this.#program.steps.entries()) {
      if (step.length === 0) continue;
      const judge = judgeOf(step);
      const isAlone = judge.chanceKeys !== undefined || judge.isWalk === true || isTransfer(step);
      if (situation.isInMulti && isAlone) continue;
      if (!isTransfer(step)) this.#add(at, step, judge, situation);
      situation = after(step, situation);
      if (!isAlone) continue;
      const finding = (await this.#flush()) ?? (await this.#followUp(at, step, judge));
      if (finding !== undefined) return finding;
    }
    return (await this.#flush()) ?? (await this.#atEnd());
  }

  async #begin(): Promise<void> {
    const { events, protocol } = this.#program;
    const begin = [
      stepOf('RESET'),
      stepOf('HELLO', String(protocol)),
      stepOf('FLUSHALL'),
      stepOf('CONFIG', 'SET', 'notify-keyspace-events', events),
      this.#options.defaults,
    ];
    if (events !== '') begin.push(stepOf('PUBLISH', '__keyfuzz__:x', `begin-${this.#mark}`));
    await this.#both(begin);
    if (events !== '') await this.#events(`begin-${this.#mark}`);
  }

  #add(at: number, step: Step, judge: Judge, situation: Situation): void {
    const willBeInMulti = after(step, situation).isInMulti;
    const isProbed = !situation.isInMulti && !willBeInMulti;
    const before = isProbed ? (judge.before?.(step) ?? []) : [];
    const probes = isProbed ? (judge.probes?.(step) ?? []) : [];
    const hasDigest = this.#isCareful && !willBeInMulti;
    const counts = { before: before.length, probes: probes.length };
    this.#entries.push({ at, step, judge, ...counts, hasDigest });
    this.#batch.push(...before, step, ...probes);
    if (hasDigest) this.#batch.push(DIGEST);
  }

  async #both(batch: readonly Step[]): Promise<Pair> {
    return Promise.all([this.#options.ours.run(batch), this.#options.real.run(batch)]);
  }

  async #events(mark: string): Promise<readonly [string[], string[]]> {
    return Promise.all([this.#options.ours.events(mark), this.#options.real.events(mark)]);
  }

  /** Sends what has gathered and compares. */
  async #flush(): Promise<Finding | undefined> {
    const [ours, real] = await this.#both(this.#batch);
    let next = 0;
    let found: Finding | undefined;
    for (const entry of this.#entries) {
      const [mine, theirs] = [ours, real].map((side) => repliesFrom(side, next, entry));
      next += entry.before + 1 + entry.probes;
      found ??= this.#compare(entry, mine!, theirs!);
      this.#last = theirs;
      if (!entry.hasDigest) continue;
      found ??= difference('digest', entry, ours[next]!, real[next]!);
      next++;
    }
    this.#entries = [];
    this.#batch = [];
    return found;
  }

  #compare(entry: Entry, ours: Replies, real: Replies): Finding | undefined {
    const { step, judge } = entry;
    const name = lower(step, 0);
    let isSame: boolean;
    if (name === 'exec' && aggregate(real[0]) !== undefined) {
      isSame = this.#agreesAsTransaction(ours[0], real[0]);
    } else isSame = judge.agree(ours, real, step);
    if (real[0].equals(QUEUED)) this.#queued.push(step);
    else if (endsQueue(name, real[0])) this.#queued = [];
    return isSame ? undefined : findingOf('reply', entry, ours, real);
  }

  #agreesAsTransaction(ours: Buffer, real: Buffer): boolean {
    const [mine, theirs] = [aggregate(ours), aggregate(real)];
    if (mine?.head !== theirs?.head || theirs?.items.length !== this.#queued.length) return false;
    return this.#queued.every((step, i) => {
      return judgeOf(step).agree([mine!.items[i]!], [theirs.items[i]!], step);
    });
  }

  async #followUp(at: number, step: Step, judge: Judge): Promise<Finding | undefined> {
    if (isTransfer(step)) {
      const { ours, real } = this.#options;
      return this.#give(at, step, lower(step, 1) === 'ours' ? ours : real, step[2] ?? NOTHING);
    }
    if (judge.isWalk === true) return this.#walk(at, step);
    for (const key of judge.chanceKeys?.(step, this.#last ?? [NOTHING]) ?? []) {
      const finding = await this.#give(at, step, this.#options.real, key);
      if (finding !== undefined) return finding;
    }
    return undefined;
  }

  /** Gives both servers the value that one of them has. */
  async #give(at: number, step: Step, from: Server, key: Buffer): Promise<Finding | undefined> {
    // Both are asked, because asking is seen in keyspace events.
    const asked = await this.#both([stepOf('DUMP', key), stepOf('PEXPIRETIME', key)]);
    const [payload, expiry] = asked[from === this.#options.ours ? 0 : 1];
    if (payload === undefined || expiry === undefined || isError(payload)) {
      return { kind: 'transfer', at, step, ours: String(payload), real: `DUMP of ${from.title}` };
    }
    const time = Math.max(0, Number(content(expiry).toString()));
    const restore = isNull(payload)
      ? stepOf('UNLINK', key)
      : stepOf('RESTORE', key, String(time), content(payload), 'REPLACE', 'ABSTTL');
    const [ours, real] = await this.#both([restore, DIGEST]);
    const kind: FindingKind = 'transfer';
    const entry = { at, step };
    const hasFailed = isError(ours[0]!) || isError(real[0]!);
    if (hasFailed || !ours[0]!.equals(real[0]!)) {
      return findingOf(kind, entry, [ours[0]!, restore[3] ?? NOTHING], [real[0]!]);
    }
    return difference(kind, entry, ours[1]!, real[1]!);
  }

  /** Goes on with the cursor of each server to its end: together they must have seen the same. */
  async #walk(at: number, step: Step): Promise<Finding | undefined> {
    const cursorAt = lower(step, 0) === 'scan' ? 1 : 2;
    const width = ['hscan', 'zscan'].includes(lower(step, 0)) ? 2 : 1;
    const sides = [];
    for (const server of [this.#options.ours, this.#options.real]) {
      sides.push(await walked(server, step, cursorAt, width));
    }
    const [ours = [], real = []] = sides;
    if (isSameText(ours, real)) return undefined;
    return { kind: 'reply', at, step, ours: ours.join(''), real: real.join('') };
  }

  async #atEnd(): Promise<Finding | undefined> {
    const { events } = this.#program;
    const last = this.#program.steps.at(-1) ?? [];
    const end = { at: undefined, step: last };
    const mark = stepOf('PUBLISH', '__keyfuzz__:x', this.#mark);
    const ask = [stepOf('RESET'), stepOf('KEYS', '*'), stepOf('DBSIZE'), DIGEST];
    const [ours, real] = await this.#both(events === '' ? ask : [...ask, mark]);
    if (events !== '') {
      const [mine, theirs] = await this.#events(this.#mark);
      if (!isSameEvents(mine, theirs)) return eventDifference(end, mine, theirs);
    }
    const keys = aggregate(real[1]!)?.items.map((key) => content(key)) ?? [];
    return (
      difference('digest', end, ours[3]!, real[3]!) ??
      difference('digest', end, ours[2]!, real[2]!) ??
      (await this.#encodings(keys))
    );
  }

  async #encodings(keys: readonly Buffer[]): Promise<Finding | undefined> {
    const ask = keys.flatMap((key) => [
      stepOf('OBJECT', 'ENCODING', key),
      stepOf('PEXPIRETIME', key),
    ]);
    const [ours, real] = await this.#both(ask);
    for (const [i, step] of ask.entries()) {
      if (judgeOf(step).agree([ours[i]!], [real[i]!], step)) continue;
      return findingOf('encoding', { at: undefined, step }, [ours[i]!], [real[i]!]);
    }
    return undefined;
  }
}

/** A nested MULTI is an error that ends nothing, a failed EXEC does. */
function endsQueue(name: string, reply: Buffer): boolean {
  return name === 'exec' || (!isError(reply) && ['multi', 'discard', 'reset'].includes(name));
}

const QUEUED = Buffer.from('+QUEUED\r\n');

/** `!transfer ours|real key` in a program: one server's DUMP is restored on both. */
function isTransfer(step: Step): boolean {
  return lower(step, 0) === '!transfer';
}

function repliesFrom(side: readonly Buffer[], at: number, entry: Entry): Replies {
  const main = at + entry.before;
  const before = side.slice(at, main);
  return [side[main] ?? NOTHING, ...before, ...side.slice(main + 1, main + 1 + entry.probes)];
}

interface Place {
  readonly at: number | undefined;
  readonly step: Step;
}

function findingOf(
  kind: FindingKind,
  { at, step }: Place,
  ours: readonly Buffer[],
  real: readonly Buffer[],
): Finding {
  const text = (replies: readonly Buffer[]): string =>
    replies.map((reply) => reply.toString('latin1')).join('then ');
  return { kind, at, step, ours: text(ours), real: text(real) };
}

function difference(
  kind: FindingKind,
  place: Place,
  ours: Buffer,
  real: Buffer,
): Finding | undefined {
  return ours.equals(real) ? undefined : findingOf(kind, place, [ours], [real]);
}

/** SORT looks patterns up in the order of a hash table, so its misses come in any order. */
function isSameEvents(ours: readonly string[], real: readonly string[]): boolean {
  if (isSameText(ours, real)) return true;
  const [mine, theirs] = [ours, real].map((events) => ({
    misses: events.filter((event) => event.includes('keymiss')).sort(),
    others: events.filter((event) => !event.includes('keymiss')),
  }));
  return isSameText(mine!.misses, theirs!.misses) && isSameText(mine!.others, theirs!.others);
}

function eventDifference(place: Place, ours: readonly string[], real: readonly string[]): Finding {
  const first = ours.findIndex((event, i) => event !== real[i]);
  const at = first < 0 ? ours.length : first;
  return {
    ...place,
    kind: 'events',
    ours: ours.slice(Math.max(0, at - 2), at + 5).join(' | '),
    real: real.slice(Math.max(0, at - 2), at + 5).join(' | '),
  };
}

/** What a walk from the beginning sees, each once and in order of bytes; an error as it is. */
async function walked(
  server: Server,
  start: Step,
  cursorAt: number,
  width: 1 | 2,
): Promise<string[]> {
  const seen = new Set<string>();
  let step = start;
  for (let calls = 0; calls < WALK_CALLS_MAX; calls++) {
    const [reply = NOTHING] = await server.run([step]);
    const [cursor, items] = aggregate(reply)?.items ?? [];
    if (cursor === undefined || items === undefined) return [reply.toString('latin1')];
    for (const each of sorted(aggregate(items)?.items ?? [], width)) seen.add(each);
    const next = content(cursor);
    if (next.toString() === '0') return [...seen].sort();
    step = start.map((arg, i) => (i === cursorAt ? next : arg));
  }
  return [`no end after ${WALK_CALLS_MAX} calls`];
}
