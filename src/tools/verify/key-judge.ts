/**
 * The careful look at one key: whether it differs between the two sides, and how. A key that is written to all the time
 * differs in every look, because the write comes to the target later. Such a key is looked at several times, and the
 * target may then also be equal to what the source was a moment before.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Argument, replyText } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { LARGE_VALUE_BYTES } from './batch-check.ts';
import {
  type Comparison,
  type Difference,
  compareExpiry,
  comparePortraits,
} from './differences.ts';
import { compareLargeValues } from './large-values.ts';
import { type Portrait, PortraitPainter } from './portrait.ts';
import type { Abilities, Side } from '../flow/index.ts';
import type { Call } from './stream-facts.ts';

/** Looks at a key that moves, and the pause before each, which doubles, milliseconds: 0.3 s in all. */
const LOOKS_MAX = 6;
const FIRST_PAUSE_MS = 5;
/** Checksum at the end of a DUMP payload. */
const CHECKSUM_BYTES = 8;
/** Moments are the same in a print when they are about so near. */
const PRINT_MS = 2000;

/** What one side says of the key. */
interface Sighting {
  readonly type: string;
  readonly isThere: boolean;
  /** Undefined where the server does not tell. */
  readonly memoryBytes: number | undefined;
  readonly expireAtUnixMs: number;
  /** By the server's own clock; below 0 for never. */
  readonly ttlMs: number;
  /** Of the whole value; undefined where that is large or of an unknown kind, or was not asked for. */
  checksum: string | undefined;
  portrait: Portrait | undefined;
}

export interface Judgement {
  /** Undefined when the key is equal, or neither side has it, or one has it no more because its time was over. */
  readonly difference: Difference | undefined;
  /** The same text where both sides stood still, all but surely. */
  readonly print: string;
}

interface Look {
  readonly source: Sighting;
  readonly target: Sighting;
  readonly difference: Difference | undefined;
}

export class KeyJudge {
  readonly #comparison: Comparison;
  readonly #painter: PortraitPainter;

  constructor(comparison: Comparison) {
    this.#comparison = comparison;
    this.#painter = new PortraitPainter(comparison.abilities.both.hasFieldExpiry);
  }

  async judge(key: Buffer): Promise<Judgement> {
    try {
      const { difference, source, target } = await this.#look(key);
      const { kind = '' } = difference ?? {};
      const isMissing = !source.isThere || !target.isThere;
      const print = isMissing ? kind : `${printOf(source)} ${printOf(target)}`;
      return { difference, print };
    } catch (error) {
      return { difference: unread(error), print: 'unread' };
    }
  }

  /** As `difference` of `judge`, of a key that is written to: with the time it takes to tell. */
  async judgeMoving(key: Buffer): Promise<Difference | undefined> {
    const sources: Sighting[] = [];
    let pauseMs = FIRST_PAUSE_MS;
    let last: Difference | undefined;
    try {
      for (let looks = 0; looks < LOOKS_MAX; looks++) {
        const { difference, source, target } = await this.#look(key);
        if (difference === undefined) return undefined;
        if (sources.some((former) => this.#areEqual(former, target))) return undefined;
        sources.push(source);
        last = difference;
        await pause(pauseMs);
        pauseMs *= 2;
      }
    } catch (error) {
      return unread(error);
    }
    return last === undefined ? undefined : { ...last, isChanging: true };
  }

  async #look(key: Buffer): Promise<Look> {
    const calls = [
      callOf(this.#comparison.source, key),
      callOf(this.#comparison.target, key),
    ] as const;
    const { abilities } = this.#comparison;
    const [source, target] = await Promise.all([
      look(calls[0], abilities.source),
      look(calls[1], abilities.target),
    ]);
    return { source, target, difference: await this.#compare(source, target, calls) };
  }

  async #compare(
    source: Sighting,
    target: Sighting,
    calls: readonly [Call, Call],
  ): Promise<Difference | undefined> {
    const plain = this.#comparePlainly(source, target);
    if (plain !== 'same' || this.#comparison.measure.depth === 'types') {
      return plain === 'same' ? undefined : plain;
    }
    return (
      (await this.#compareValues(source, target, calls)) ?? this.#compareExpiry(source, target)
    );
  }

  /** What can be told without the values; `same` when that is not all. Undefined: equal, for neither is there. */
  #comparePlainly(source: Sighting, target: Sighting): Difference | 'same' | undefined {
    if (source.isThere && target.isThere) {
      if (source.type === target.type) return 'same';
      const detail = `${source.type} on the source, ${target.type} on the target`;
      return { kind: 'type', type: source.type, detail };
    }
    const there = source.isThere ? source : target;
    if (!there.isThere) return undefined;
    const isExpiring = there.ttlMs >= 0 && there.ttlMs <= this.#comparison.measure.toleranceMs;
    if (isExpiring) return undefined;
    return { kind: source.isThere ? 'onlyOnSource' : 'onlyOnTarget', type: there.type };
  }

  async #compareValues(
    source: Sighting,
    target: Sighting,
    calls: readonly [Call, Call],
  ): Promise<Difference | undefined> {
    const { type } = source;
    const sizes = [source.memoryBytes, target.memoryBytes].filter((size) => size !== undefined);
    const isSmall = sizes.length > 0 && Math.max(...sizes) <= LARGE_VALUE_BYTES;
    if (!isSmall) return this.#compareLarge(type, calls);
    const [one, other] = await Promise.all([calls[0]('DUMP'), calls[1]('DUMP')]);
    // Gone in between: the next look will tell.
    if (one === null || other === null) return { kind: 'value', type };
    this.#paint(source, one);
    this.#paint(target, other);
    if (source.portrait === undefined || target.portrait === undefined) {
      return this.#compareLarge(type, calls);
    }
    return comparePortraits(source.portrait, target.portrait);
  }

  #compareLarge(type: string, calls: readonly [Call, Call]): Promise<Difference | undefined> {
    return compareLargeValues(type, calls[0], calls[1], this.#comparison.abilities.both);
  }

  #paint(sighting: Sighting, payload: Reply): void {
    if (!Buffer.isBuffer(payload)) return;
    sighting.portrait = this.#painter.paint(payload, 0, payload.length);
    sighting.checksum = payload.toString('hex', payload.length - CHECKSUM_BYTES);
  }

  #compareExpiry(source: Sighting, target: Sighting): Difference | undefined {
    const { toleranceMs } = this.#comparison.measure;
    const found = compareExpiry(source.expireAtUnixMs, target.expireAtUnixMs, toleranceMs);
    return found === undefined ? undefined : { ...found, type: source.type };
  }

  /** Whether the target is what the source was, as far as that is in hand. */
  #areEqual(source: Sighting, target: Sighting): boolean {
    const plain = this.#comparePlainly(source, target);
    if (plain !== 'same') return plain === undefined;
    if (this.#comparison.measure.depth === 'types') return true;
    if (source.portrait === undefined || target.portrait === undefined) return false;
    if (comparePortraits(source.portrait, target.portrait) !== undefined) return false;
    return this.#compareExpiry(source, target) === undefined;
  }
}

function printOf({ type, expireAtUnixMs, checksum, memoryBytes }: Sighting): string {
  // A moment that was told as a time to live is some milliseconds off.
  return `${type} ${Math.round(expireAtUnixMs / PRINT_MS)} ${checksum ?? memoryBytes}`;
}

/** An error of a server is an answer; others are thrown on. */
function unread(error: unknown): Difference {
  if (!(error instanceof ReplyError)) throw error;
  return { kind: 'unread', detail: error.message };
}

/** Commands about one key of a side: the key goes behind the command's words. */
export function callOf({ deployment, db }: Side, key: Buffer): Call {
  return (command, ...args: readonly Argument[]) =>
    deployment.call(db, key, ...command.split(' '), key, ...args);
}

async function look(call: Call, abilities: Abilities): Promise<Sighting> {
  const knowsMoment = abilities.knows('pexpiretime');
  const [type, memory, expireAt, ttl] = await Promise.all([
    call('TYPE'),
    abilities.knows('memory') ? memoryUsage(call) : undefined,
    knowsMoment ? call('PEXPIRETIME') : undefined,
    call('PTTL').then((reply) => ({ ms: Number(reply), atUnixMs: Date.now() })),
  ]);
  const ttlMs = ttl.ms;
  const momentOfTtl = ttlMs < 0 ? ttlMs : ttl.atUnixMs + ttlMs;
  return {
    type: replyText(type),
    isThere: replyText(type) !== 'none',
    memoryBytes: memory,
    expireAtUnixMs: Math.max(-1, knowsMoment ? Number(expireAt) : momentOfTtl),
    ttlMs,
    checksum: undefined,
    portrait: undefined,
  };
}

/** A server that forbids the question leaves the size open. */
async function memoryUsage(call: Call): Promise<number | undefined> {
  try {
    const bytes = await call('MEMORY USAGE');
    return typeof bytes === 'number' ? bytes : undefined;
  } catch (error) {
    if (error instanceof ReplyError) return undefined;
    throw error;
  }
}
