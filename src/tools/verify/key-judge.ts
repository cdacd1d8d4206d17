/** The careful look at one key: whether it differs between the two sides, and how. */
import { type Argument, replyText } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { LARGE_VALUE_BYTES } from './batch-check.ts';
import { type Difference, compareExpiry, comparePortraits } from './differences.ts';
import { compareLargeValues } from './large-values.ts';
import { PortraitPainter } from './portrait.ts';
import type { Side } from '../flow/index.ts';
import type { Call } from './stream-facts.ts';

/** What one side says of the key. */
interface Sighting {
  readonly type: string;
  readonly isThere: boolean;
  /** Undefined where the server does not tell. */
  readonly memoryBytes: number | undefined;
  readonly expireAtUnixMs: number;
  /** By the server's own clock; below 0 for never. */
  readonly ttlMs: number;
}

export class KeyJudge {
  readonly #source: Side;
  readonly #target: Side;
  readonly #toleranceMs: number;
  readonly #painter: PortraitPainter = new PortraitPainter();

  constructor(source: Side, target: Side, toleranceMs: number) {
    this.#source = source;
    this.#target = target;
    this.#toleranceMs = toleranceMs;
  }

  /** Undefined when the key is equal, or neither side has it, or one has it no more because its time was over. */
  async judge(key: Buffer): Promise<Difference | undefined> {
    try {
      return await this.#judge(key);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      return { kind: 'unread', detail: error.message };
    }
  }

  async #judge(key: Buffer): Promise<Difference | undefined> {
    const calls = [callOf(this.#source, key), callOf(this.#target, key)] as const;
    const [source, target] = await Promise.all([look(calls[0]), look(calls[1])]);
    if (!source.isThere || !target.isThere) return this.#judgeMissing(source, target);
    if (source.type !== target.type) {
      const detail = `${source.type} on the source, ${target.type} on the target`;
      return { kind: 'type', detail };
    }
    const value = await this.#judgeValues(source, target, calls);
    return value ?? compareExpiry(source.expireAtUnixMs, target.expireAtUnixMs, this.#toleranceMs);
  }

  #judgeMissing(source: Sighting, target: Sighting): Difference | undefined {
    const there = source.isThere ? source : target;
    if (!there.isThere) return undefined;
    const isExpiring = there.ttlMs >= 0 && there.ttlMs <= this.#toleranceMs;
    if (isExpiring) return undefined;
    return { kind: source.isThere ? 'onlyOnSource' : 'onlyOnTarget', type: there.type };
  }

  async #judgeValues(
    source: Sighting,
    target: Sighting,
    calls: readonly [Call, Call],
  ): Promise<Difference | undefined> {
    const isSmall = [source, target].every(
      ({ memoryBytes }) => memoryBytes !== undefined && memoryBytes <= LARGE_VALUE_BYTES,
    );
    if (isSmall) {
      const [one, other] = await Promise.all([calls[0]('DUMP'), calls[1]('DUMP')]);
      // Gone in between: the next look will tell.
      if (one === null || other === null) return { kind: 'value', type: source.type };
      const portraits = [this.#portrait(one), this.#portrait(other)];
      if (portraits[0] !== undefined && portraits[1] !== undefined) {
        return comparePortraits(portraits[0], portraits[1]);
      }
    }
    return compareLargeValues(source.type, calls[0], calls[1]);
  }

  #portrait(payload: Reply): ReturnType<PortraitPainter['paint']> {
    return Buffer.isBuffer(payload) ? this.#painter.paint(payload, 0, payload.length) : undefined;
  }
}

/** Commands about one key of a side: the key goes behind the command's words. */
export function callOf({ deployment, db }: Side, key: Buffer): Call {
  return (command, ...args: readonly Argument[]) =>
    deployment.call(db, key, ...command.split(' '), key, ...args);
}

async function look(call: Call): Promise<Sighting> {
  const [type, memory, expireAt, ttl] = await Promise.all([
    call('TYPE'),
    memoryUsage(call),
    call('PEXPIRETIME'),
    call('PTTL'),
  ]);
  return {
    type: replyText(type),
    isThere: replyText(type) !== 'none',
    memoryBytes: memory,
    expireAtUnixMs: Math.max(-1, Number(expireAt)),
    ttlMs: Number(ttl),
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
