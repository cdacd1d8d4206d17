/** Expiry times in arguments: units, bases and the ends of the 64-bit range. */
import { NOT_INTEGER } from '../base/index.ts';
import { EXPIRE_AT_MAX } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { invalidExpire } from './data-errors.ts';
import { ERR_NOT_INTEGER } from './errors.ts';

/** How a time is written: in seconds or milliseconds, from now on or since 1970. */
export interface TimeForm {
  readonly isSeconds: boolean;
  readonly isAbsolute: boolean;
}

export const EX: TimeForm = { isSeconds: true, isAbsolute: false };
export const PX: TimeForm = { isSeconds: false, isAbsolute: false };
export const EXAT: TimeForm = { isSeconds: true, isAbsolute: true };
export const PXAT: TimeForm = { isSeconds: false, isAbsolute: true };

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;
/** Below this a time in seconds and its sum with now are safe integers in milliseconds. */
const PLAIN_MAX = 4_000_000_000_000;

/** The answer of `expiryArgument` when it wrote an error. */
export const NO_TIME: number = Number.NEGATIVE_INFINITY;

/**
 * Unix time in milliseconds that argument `i` means, clamped to [-EXPIRE_AT_MAX, EXPIRE_AT_MAX]; NO_TIME after an
 * error reply. Values outside 64 bits are refused as Redis does, and with `isPositive` those not above 0.
 */
export function expiryArgument(
  context: Context,
  request: Request,
  i: number,
  form: TimeForm,
  isPositive: boolean,
  reply: ReplyWriter,
): number {
  const value = request.int(i);
  if (value === NOT_INTEGER) {
    reply.error(ERR_NOT_INTEGER);
    return NO_TIME;
  }
  const now = form.isAbsolute ? 0 : context.server.unixNow;
  if (typeof value === 'number' && value > (isPositive ? 0 : -PLAIN_MAX) && value < PLAIN_MAX) {
    return clamp((form.isSeconds ? value * 1000 : value) + now);
  }
  const wide = wideTime(BigInt(value), form, BigInt(now));
  if (wide === undefined || (isPositive && value <= 0)) {
    reply.error(invalidExpire(context.command.spec.name));
    return NO_TIME;
  }
  return clamp(Number(wide));
}

function wideTime(value: bigint, form: TimeForm, now: bigint): bigint | undefined {
  const inMs = form.isSeconds ? value * 1000n : value;
  if (inMs > INT64_MAX || inMs < INT64_MIN || inMs > INT64_MAX - now) return undefined;
  return inMs + now;
}

function clamp(unixTimeMs: number): number {
  return Math.max(-EXPIRE_AT_MAX, Math.min(EXPIRE_AT_MAX, unixTimeMs));
}

/**
 * Whether a key given this time is to be deleted at once. A replica keeps it and waits for its master, and a log that
 * is loaded goes on with it. Source: 7.0 expire.c, checkAlreadyExpired().
 */
export function isPast(context: Context, unixTimeMs: number): boolean {
  const { server } = context;
  return unixTimeMs <= server.unixNow && server.keyspace.expiryMode === 'delete';
}

/** Replicas see a deletion by a time in the past as this command. */
export function expiryDeletion(context: Context, key: Buffer): readonly (Buffer | string)[] {
  return [context.server.settings['lazyfree-lazy-expire'] ? 'UNLINK' : 'DEL', key];
}
