/** Arguments of SCAN, SSCAN, HSCAN and ZSCAN. */
import { NOT_INTEGER, globMatches } from '../base/index.ts';
import type { BytesView } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX, shown } from './errors.ts';

/** Elements visited in a call without COUNT. */
const COUNT_DEFAULT = 10;
const SHORT_TEXT_BYTES = 64;
const UINT64_MAX = 18446744073709551615n;
const STAR = 0x2a;

export interface ScanOptions {
  readonly count: number;
  /** Argument that has the pattern; undefined for all. */
  readonly patternAt: number | undefined;
  /** Name of a type, in lower case. */
  readonly type: string | undefined;
}

/** An argument of which only a short text can mean something: the beginning is enough to tell. */
function shortText(request: Request, i: number): string {
  return request.bytes(i).toString('latin1', 0, SHORT_TEXT_BYTES);
}

/**
 * Argument `i` as an unsigned 64-bit number, as C's strtoul() reads it up to a zero byte (nothing is 0), cut at the safe
 * integers; or undefined.
 */
export function parseCursor(request: Request, i: number): number | undefined {
  const text = shown(shortText(request, i));
  if (!/^(?:[+-]?\d+)?$/.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  if (value > UINT64_MAX || value < -UINT64_MAX) return undefined;
  return Math.min(Number(BigInt.asUintN(64, value)), Number.MAX_SAFE_INTEGER);
}

/** The options from argument `from` on; undefined after an error reply. Only SCAN knows TYPE. */
export function parseScanOptions(
  request: Request,
  from: number,
  hasTypes: boolean,
  reply: ReplyWriter,
): ScanOptions | undefined {
  let count = COUNT_DEFAULT;
  let patternAt: number | undefined;
  let type: string | undefined;
  for (let i = from; i < request.argc; i += 2) {
    const hasValue = i + 1 < request.argc;
    if (hasValue && request.is(i, 'count')) {
      const value = request.int(i + 1);
      if (value === NOT_INTEGER || value < 1) {
        reply.error(value === NOT_INTEGER ? ERR_NOT_INTEGER : ERR_SYNTAX);
        return undefined;
      }
      count = Number(value);
    } else if (hasValue && request.is(i, 'match')) patternAt = i + 1;
    else if (hasValue && hasTypes && request.is(i, 'type')) {
      type = shortText(request, i + 1).toLowerCase();
    } else {
      reply.error(ERR_SYNTAX);
      return undefined;
    }
  }
  return { count, patternAt, type };
}

/** Whether a name matches the pattern in argument `patternAt`; any name does without one. */
export function matchesArgument(
  request: Request,
  patternAt: number | undefined,
  name: Readonly<BytesView>,
): boolean {
  if (patternAt === undefined) return true;
  const at = request.at[patternAt]!;
  const size = request.size[patternAt]!;
  if (size === 1 && request.buf[at] === STAR) return true;
  return globMatches(request.buf, at, size, name.buf, name.at, name.size, false);
}
