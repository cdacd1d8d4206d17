/**
 * When keys expire, of servers that can be asked for a moment (Redis 7) and of those that know times to live only: these
 * are asked for the time right behind each, since what comes between may take long.
 */
import type { RequestBuffer } from '../../client/index.ts';
import type { Abilities } from './abilities.ts';
import type { KeyBatch } from './key-batch.ts';
import type { Answers } from './side.ts';

/** How a server is asked about a key. */
export interface ExpiryQuestion {
  /** Replies that it takes. */
  readonly replyCount: number;
  /** Writes it. */
  write(out: RequestBuffer, batch: KeyBatch, index: number): void;
  /** The answer of which reply `n` about key `place` is the first: Unix milliseconds, below 0 for none, NaN for an error. */
  unixMs(answers: Answers, place: number, n: number): number;
}

const COLON = 0x3a;
const TIME_REPLY = /^\*2\r\n\$\d+\r\n(\d+)\r\n\$\d+\r\n(\d+)\r\n$/;

export function expiryQuestion(abilities: Pick<Abilities, 'knows'>): ExpiryQuestion {
  return abilities.knows('pexpiretime') ? MOMENT : TIME_TO_LIVE;
}

const MOMENT: ExpiryQuestion = {
  replyCount: 1,
  write: (out, batch, index) => writeKey(out, 'PEXPIRETIME', batch, index),
  unixMs: (answers, place, n) => integer(answers, place, n),
};

const TIME_TO_LIVE: ExpiryQuestion = {
  replyCount: 2,
  write: (out, batch, index) => {
    writeKey(out, 'PTTL', batch, index);
    out.begin(1);
    out.word('TIME');
  },
  unixMs: (answers, place, n) => {
    const ttlMs = integer(answers, place, n);
    return ttlMs < 0 ? ttlMs : ttlMs + clock(answers, place, n + 1);
  },
};

function writeKey(
  out: RequestBuffer,
  command: string,
  { buf, at, size }: KeyBatch,
  index: number,
): void {
  out.begin(2);
  out.word(command);
  out.argument(buf, at[index]!, size[index]!);
}

function integer({ bufs, starts, ends }: Answers, place: number, n: number): number {
  const buf = bufs[place]!;
  if (buf[starts[n]!] !== COLON) return Number.NaN;
  return Number(buf.toString('latin1', starts[n]! + 1, ends[n]! - 2));
}

/** A reply to TIME in milliseconds. */
function clock({ bufs, starts, ends }: Answers, place: number, n: number): number {
  const match = TIME_REPLY.exec(bufs[place]!.toString('latin1', starts[n], ends[n]));
  return Number(match?.[1]) * 1000 + Math.floor(Number(match?.[2]) / 1000);
}
