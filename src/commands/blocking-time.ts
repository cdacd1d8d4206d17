/** How long a blocking command waits. */
import { type MonoMs, addMs } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { parseLongDouble } from './long-double.ts';

/** The argument is no time to wait; the error is written. */
export const NO_DEADLINE = 'invalid';

/** Seconds from here on overflow the milliseconds of Redis, which takes them for negative. */
const OVERFLOW_SECONDS = 9_223_372_036_854_776;
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
  const seconds = Number(value.mantissa) * 2 ** value.exponent;
  const ms = Math.ceil(seconds * 1000);
  if (ms < 0 || seconds >= OVERFLOW_SECONDS) {
    reply.error('ERR timeout is negative');
    return NO_DEADLINE;
  }
  return ms === 0 || ms > FOREVER_MS ? undefined : addMs(server.now, ms);
}
