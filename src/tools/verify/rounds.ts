/**
 * The comparison of two deployments in rounds. The first looks at every key of the source, and at every key of the
 * target for those that the source lacks; each further one looks again at what differed. What a write was on its way to
 * the target for is equal the next time.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Deployment, RequestBuffer } from '../../client/index.ts';
import { ToolError } from '../errors.ts';
import {
  type DatabasePair,
  Gate,
  type KeyBatch,
  Pace,
  type Side,
  ask,
  keyAt,
  keysOf,
  scanPage,
} from '../flow/index.ts';
import { BatchCheck } from './batch-check.ts';
import type { Comparison, Depth, Difference, SideAbilities } from './differences.ts';
import { KeyJudge } from './key-judge.ts';
import { type Selection, keyChooser, scanPattern } from './selection.ts';

export interface RoundsOptions extends Selection {
  readonly source: Deployment;
  readonly target: Deployment;
  readonly pairs: readonly DatabasePair[];
  readonly abilities: SideAbilities;
  /** At least 1. */
  readonly rounds: number;
  /** Between two rounds, milliseconds. */
  readonly intervalMs: number;
  /** Keys a second of the first round; 0 for no bound. */
  readonly rate: number;
  /** Expiry times that differ by no more are equal, milliseconds. */
  readonly toleranceMs: number;
  /** How closely keys are looked at; default `values`. */
  readonly depth?: Depth | undefined;
  readonly signal: AbortSignal;
}

export interface Suspect {
  readonly pair: DatabasePair;
  readonly key: Buffer;
  readonly difference: Difference;
}

/** Takes a key that differs for good. */
export type Report = (suspect: Suspect) => Promise<void>;

/** How far the work is; read while it goes on. */
export interface RoundsProgress {
  round: number;
  sourceKeys: number;
  targetKeys: number;
  /** Keys that differ as far as is known. */
  suspects: number;
}

/** Keys of a page: each costs a way to the node and back, one after the other. */
const SCAN_COUNT = 4000;
/** Keys that are looked at together, and such lots of one node under way: what bounds memory. */
const LOT_KEYS = 1000;
const LOTS_MAX = 8;
/** Single keys under way. */
const JUDGED_MAX = 16;
/** Keys that are remembered because they differ: with more, the two are no copies of each other. */
const SUSPECTS_MAX = 1_000_000;

/** A key to look at again: of the difference only what it takes to tell of it when there is no time. */
interface Memory {
  readonly difference: Difference;
  /** What was seen, as the judge has it. */
  readonly print: string;
}

export class Rounds {
  readonly progress: RoundsProgress = { round: 1, sourceKeys: 0, targetKeys: 0, suspects: 0 };
  readonly #options: RoundsOptions;
  readonly #pace: Pace;
  readonly #isWanted: ReturnType<typeof keyChooser>;
  /** Keys, of one byte a character, by pair. */
  readonly #suspects: Map<DatabasePair, Map<string, Memory>> = new Map();
  readonly #report: Report;

  constructor(options: RoundsOptions, report: Report) {
    this.#options = options;
    this.#report = report;
    this.#pace = new Pace(options.rate);
    this.#isWanted = keyChooser(options);
  }

  /**
   * Reports the keys that differ in the last round, while they are found; when the signal came, those that differed so
   * far. Throws ToolError, and what connections throw.
   */
  async run(): Promise<void> {
    const { rounds, intervalMs, pairs, signal } = this.#options;
    for (const pair of pairs) await this.#scan(pair);
    while (this.progress.round < rounds && this.progress.suspects > 0 && !signal.aborted) {
      await pause(intervalMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      this.progress.round++;
      await this.#lookAgain();
    }
    if (signal.aborted && rounds > 1) await this.#reportRemembered();
  }

  /** One key at a time, as `run` does at its end. */
  judgeOf(pair: DatabasePair): KeyJudge {
    return new KeyJudge(this.#comparisonOf(pair));
  }

  #checkOf(pair: DatabasePair): BatchCheck {
    return new BatchCheck(this.#comparisonOf(pair));
  }

  #comparisonOf(pair: DatabasePair): Comparison {
    const { toleranceMs, depth = 'values', abilities } = this.#options;
    return {
      source: this.#sideOf('source', pair),
      target: this.#sideOf('target', pair),
      measure: { toleranceMs, depth },
      abilities,
    };
  }

  get #isLast(): boolean {
    return this.progress.round >= this.#options.rounds;
  }

  /** Of what is remembered goes what is equal now. */
  async #lookAgain(): Promise<void> {
    const { source, target, signal } = this.#options;
    await Promise.all([source.refresh(), target.refresh()]);
    const gate = new Gate(LOTS_MAX);
    const judged = new Gate(JUDGED_MAX);
    for (const [pair, memories] of this.#suspects) {
      const [check, judge] = [this.#checkOf(pair), this.judgeOf(pair)];
      for (const texts of lotsOf(memories.keys())) {
        if (signal.aborted) break;
        await gate.start(async () => {
          const lot = batchOf(texts);
          const { known, unsure } = await check.suspects(lot, [...texts.keys()]);
          const suspected = new Set(unsure);
          const settled = new Set<number>();
          for (const [index, difference] of known) {
            const seen = { difference, print: difference.kind };
            const isSettled = await this.#seenAgain(pair, texts[index]!, seen);
            (isSettled ? settled : suspected).add(index);
          }
          for (const [index, text] of texts.entries()) {
            if (suspected.has(index)) {
              await judged.start(() => this.#judgeAgain(judge, pair, text));
            } else if (!settled.has(index)) {
              this.#forget(memories, text);
            }
          }
        });
      }
    }
    await gate.drain();
    await judged.drain();
  }

  /** Before a key is reported, it must have stood still since the last look, or be watched while it moves. */
  async #judgeAgain(judge: KeyJudge, pair: DatabasePair, text: string): Promise<void> {
    const key = Buffer.from(text, 'latin1');
    const { difference, print } = await judge.judge(key);
    if (difference !== undefined && (await this.#seenAgain(pair, text, { difference, print })))
      return;
    const moved = difference === undefined ? undefined : await judge.judgeMoving(key);
    if (moved === undefined) return this.#forget(this.#suspects.get(pair), text);
    this.#suspects.get(pair)?.delete(text);
    await this.#report({ pair, key, difference: moved });
  }

  /** Answers false when this is the last look and the key is not as it was. */
  async #seenAgain(pair: DatabasePair, text: string, seen: Memory): Promise<boolean> {
    const memories = this.#suspects.get(pair);
    if (this.#isLast) {
      if (memories?.get(text)?.print !== seen.print) return false;
      memories.delete(text);
      const key = Buffer.from(text, 'latin1');
      await this.#report({ pair, key, difference: seen.difference });
    } else {
      memories?.set(text, memoryOf(seen));
    }
    return true;
  }

  #forget(memories: Map<string, Memory> | undefined, text: string): void {
    if (memories?.delete(text) === true) this.progress.suspects--;
  }

  async #reportRemembered(): Promise<void> {
    for (const [pair, keys] of this.#suspects) {
      for (const [text, { difference }] of keys) {
        await this.#report({ pair, key: Buffer.from(text, 'latin1'), difference });
      }
    }
  }

  async #scan(pair: DatabasePair): Promise<void> {
    const [source, target] = [this.#sideOf('source', pair), this.#sideOf('target', pair)];
    const [check, judge] = [this.#checkOf(pair), this.judgeOf(pair)];
    const look = async (page: KeyBatch, keys: readonly number[]): Promise<void> => {
      const { known, unsure } = await check.suspects(page, keys);
      for (const [index, difference] of known) {
        await this.#suspect({ pair, key: keyAt(page, index), difference }, difference.kind);
      }
      for (const index of unsure) await this.#judge(judge, pair, keyAt(page, index));
    };
    const forward = this.#eachLot(source, async (page, keys) => {
      this.progress.sourceKeys += keys.length;
      await look(page, keys);
    });
    const backward = this.#eachLot(target, async (page, keys) => {
      this.progress.targetKeys += keys.length;
      const missing = await missingKeys(source, page, keys);
      if (missing.length > 0) await look(page, missing);
    });
    await Promise.all([forward, backward]);
  }

  async #judge(judge: KeyJudge, pair: DatabasePair, key: Buffer): Promise<void> {
    const { difference, print } = await judge.judge(key);
    if (difference !== undefined) await this.#suspect({ pair, key, difference }, print);
  }

  /** A key is taken once in a round, however often it is met. */
  async #suspect({ pair, key, difference }: Suspect, print: string): Promise<void> {
    const keys = this.#suspects.get(pair) ?? new Map<string, Memory>();
    this.#suspects.set(pair, keys);
    const text = key.toString('latin1');
    if (keys.has(text)) return;
    if (++this.progress.suspects > SUSPECTS_MAX) {
      throw new ToolError(
        'NODES_REFUSED',
        `Cannot go on: more than ${SUSPECTS_MAX} keys differ, so the target is no copy of the source`,
      );
    }
    keys.set(text, memoryOf({ difference, print }));
    if (this.#isLast) await this.#report({ pair, key, difference });
  }

  #sideOf(which: 'source' | 'target', pair: DatabasePair): Side {
    return { deployment: this.#options[which], db: pair[which] };
  }

  /** Gives `use` the chosen keys of every node, some at a time. */
  async #eachLot(
    side: Side,
    use: (page: KeyBatch, keys: readonly number[]) => Promise<void>,
  ): Promise<void> {
    const scans = side.deployment.masters().map(async (_, master) => {
      const gate = new Gate(LOTS_MAX);
      const client = await side.deployment.connection(master, side.db);
      const pattern = scanPattern(this.#options);
      for (let cursor = '0'; !this.#options.signal.aborted;) {
        const page = await scanPage(client, { cursor, count: SCAN_COUNT, pattern });
        const keys = keysOf(page.keys, this.#isWanted);
        for (let from = 0; from < keys.length; from += LOT_KEYS) {
          const lot = keys.slice(from, from + LOT_KEYS);
          await this.#pace.take(lot.length);
          await gate.start(() => use(page.keys, lot));
        }
        ({ cursor } = page);
        if (cursor === '0') break;
      }
      await gate.drain();
    });
    await Promise.all(scans);
  }
}

const outlines = new Map<string, Memory>();

/** Without the details; the same for all differences that look the same, so that it takes no memory. */
function memoryOf({ difference: { kind, type = '' }, print }: Memory): Memory {
  const name = `${kind} ${type}`;
  const shared = outlines.get(name) ?? {
    difference: type === '' ? { kind } : { kind, type },
    print: kind,
  };
  outlines.set(name, shared);
  return print === kind ? shared : { difference: shared.difference, print };
}

/** Some keys at a time. */
function* lotsOf(texts: Iterable<string>): Generator<readonly string[]> {
  let lot: string[] = [];
  for (const text of texts) {
    lot.push(text);
    if (lot.length < LOT_KEYS) continue;
    yield lot;
    lot = [];
  }
  if (lot.length > 0) yield lot;
}

/** Keys as if SCAN had answered them. */
function batchOf(texts: readonly string[]): KeyBatch {
  const out = new RequestBuffer();
  const ends = texts.map((text) => {
    out.word(text);
    return out.byteCount;
  });
  const size = texts.map((text) => text.length);
  return { buf: out.take(), at: ends.map((end, i) => end - 2 - size[i]!), size };
}

const COLON = 0x3a;
const ONE = 0x31;
const EXISTS: Buffer = Buffer.from('*2\r\n$6\r\nEXISTS\r\n');

/** Of the given keys, those that `side` does not have. */
async function missingKeys(
  side: Side,
  page: KeyBatch,
  keys: readonly number[],
): Promise<readonly number[]> {
  const { isCluster } = side.deployment;
  if (!isCluster && (await countExisting(side, page, keys)) === keys.length) return [];
  const answers = await ask(side, {
    batch: page,
    keys,
    perKey: 1,
    write: (out, { buf, at, size }, index) => {
      out.raw(EXISTS, 0, EXISTS.length, 1);
      out.argument(buf, at[index]!, size[index]!);
    },
  });
  return keys.filter((_, place) => {
    const [buf, start] = [answers.bufs[place]!, answers.starts[place]!];
    return !(buf[start] === COLON && buf[start + 1] === ONE);
  });
}

const NO_BYTES: Buffer = Buffer.alloc(0);
const KEYS_ALONE = { pieces: [NO_BYTES], last: NO_BYTES, count: 0 };

/** One question about many keys; a key that is named twice counts twice. */
async function countExisting(
  { deployment, db }: Side,
  page: KeyBatch,
  keys: readonly number[],
): Promise<number> {
  const client = await deployment.connection(0, db);
  const out = new RequestBuffer();
  out.begin(1 + keys.length);
  out.word('EXISTS');
  out.aboutEach(KEYS_ALONE, page, keys);
  const replies = await client.exchange(out.take(), 1);
  const start = (replies.starts[0] ?? 0) + 1;
  return Number(replies.buf.toString('latin1', start, replies.ends[0]));
}
