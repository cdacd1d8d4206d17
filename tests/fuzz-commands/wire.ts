/**
 * RESP as the fuzzer needs it: requests out, and replies as the bytes that came, because equal bytes need no reading.
 * Not our own codec, so that a mistake in it cannot hide itself.
 */
import type { Step } from './program.ts';

const CR_LF = Buffer.from('\r\n');
const DOLLAR = 0x24;
const EQUALS = 0x3d;
const EXCLAMATION = 0x21;
const STAR = 0x2a;
const TILDE = 0x7e;
const GREATER = 0x3e;
const PERCENT = 0x25;
const MINUS = 0x2d;

/** The requests, one after the other. */
export function encodeSteps(steps: readonly Step[]): Buffer {
  const parts: Buffer[] = [];
  for (const step of steps) {
    parts.push(Buffer.from(`*${step.length}\r\n`));
    for (const arg of step) parts.push(Buffer.from(`$${arg.length}\r\n`), arg, CR_LF);
  }
  return Buffer.concat(parts);
}

/** Index behind the reply that begins at `at`; -1 while it is not all there. No recursion: replies nest as they like. */
export function replyEnd(buf: Buffer, at: number): number {
  let next = at;
  for (let missing = 1; missing > 0; missing--) {
    const lineEnd = buf.indexOf(CR_LF, next);
    if (lineEnd < 0) return -1;
    const type = buf[next]!;
    if (type === DOLLAR || type === EQUALS || type === EXCLAMATION) {
      const size = count(buf, next + 1, lineEnd);
      next = size < 0 ? lineEnd + 2 : lineEnd + 2 + size + 2;
      if (next > buf.length) return -1;
    } else {
      if (type === STAR || type === TILDE || type === GREATER) {
        missing += Math.max(0, count(buf, next + 1, lineEnd));
      } else if (type === PERCENT) missing += 2 * count(buf, next + 1, lineEnd);
      next = lineEnd + 2;
    }
  }
  return next;
}

function count(buf: Buffer, from: number, to: number): number {
  if (buf[from] === MINUS) return -1;
  let value = 0;
  for (let i = from; i < to; i++) value = value * 10 + buf[i]! - 0x30;
  return value;
}

/** The type and size of an aggregate and its elements as they came; undefined for any other reply. */
export interface Aggregate {
  /** Such as `*3`; for a map the elements are fields and values in turn. */
  readonly head: string;
  readonly items: readonly Buffer[];
}

export function aggregate(reply: Buffer): Aggregate | undefined {
  if (!isAggregate(reply)) return undefined;
  const lineEnd = reply.indexOf(CR_LF);
  const items: Buffer[] = [];
  for (let at = lineEnd + 2; at < reply.length;) {
    const end = replyEnd(reply, at);
    items.push(reply.subarray(at, end));
    at = end;
  }
  return { head: reply.toString('latin1', 0, lineEnd), items };
}

function isAggregate(reply: Buffer): boolean {
  const type = reply[0];
  if (type === STAR) return reply[1] !== MINUS;
  return type === TILDE || type === PERCENT || type === GREATER;
}

/** All that is not an aggregate, in order, as text of one byte a character. */
export function leaves(reply: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < reply.length;) {
    const rest = reply.subarray(at);
    if (isAggregate(rest)) at = reply.indexOf(CR_LF, at) + 2;
    else {
      const end = replyEnd(reply, at);
      found.push(reply.toString('latin1', at, end));
      at = end;
    }
  }
  return found;
}

export function isError(reply: Buffer): boolean {
  return reply[0] === MINUS || reply[0] === EXCLAMATION;
}

export function isNull(reply: Buffer): boolean {
  return reply[0] === 0x5f || reply[1] === MINUS;
}

/** The content of a bulk string or the line of a simple one. */
export function content(reply: Buffer): Buffer {
  const lineEnd = reply.indexOf(CR_LF);
  return reply[0] === DOLLAR || reply[0] === EQUALS
    ? reply.subarray(lineEnd + 2, reply.length - 2)
    : reply.subarray(1, lineEnd);
}
