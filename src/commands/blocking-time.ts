/** How long a blocking command waits. */
import { type MonoMs, addMs } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { type LongDouble, parseLongDouble, timesInteger } from './long-double.ts';

/** The argument is no time to wait; the error is written. */
export const NO_DEADLINE = 'invalid';

/** Beyond it the milliseconds of Redis overflow, and it takes them for negative. */
const INT64_MAX = 0x7fff_ffff_ffff_ffffn;
/** Times from here on are for ever: 140,000 years. */
const FOREVER_MS: number = Number.MAX_SAFE_INTEGER / 2;

/**
 * When a call with the timeout of argument `i`, in seconds with a fraction, gives up; undefined for
 * never (0).
 */
export function blockingDeadline(
  { server }: Context,
  request: Request,
  i: number,
  reply: ReplyWriter,
): MonoMs | undefined | typeof NO_DEADLINE {
  const value = parseLongDouble(request.text(i));
  if (value === undefined) {
    reply.error('ERR timeout is not a float or out of range');
    return NO_DEADLINE;
  }
  const ms = millisecondsOf(value);
  if (ms === undefined || ms < 0 || ms > INT64_MAX) {
    reply.error('ERR timeout is negative');
    return NO_DEADLINE;
  }
  return ms === 0n || ms > FOREVER_MS ? undefined : addMs(server.now, Number(ms));
}

/** A number of seconds in milliseconds, rounded up; undefined for infinity. */
function millisecondsOf(seconds: LongDouble): bigint | undefined {
  const ms = timesInteger(seconds, 1000n);
  if (ms === undefined) return undefined;
  const { mantissa, exponent } = ms;
  // A shift to the right rounds down, so the opposite is shifted.
  return exponent >= 0 ? mantissa << BigInt(exponent) : -(-mantissa >> BigInt(-exponent));
}
