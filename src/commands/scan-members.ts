/** What SSCAN, HSCAN and ZSCAN have in common. */
import { type BytesView, NONE, type Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_INVALID_CURSOR } from './data-errors.ts';
import { isOfType, readKey } from './key-access.ts';
import { matchesArgument, parseCursor, parseScanOptions } from './scan-options.ts';

/** One step of a walk over the members of a container. */
export interface MemberScan {
  readonly cursor: number;
  readonly count: number;
  /** Whether the member (or the field) is asked for. */
  readonly matches: (name: Readonly<BytesView>) => boolean;
}

export interface ScannedType {
  readonly type: number;
  /** Answers members as bulk strings; how many, and the next cursor. */
  readonly visit: (ref: Ref, scan: MemberScan) => { readonly next: number; readonly shown: number };
}

/** SSCAN, HSCAN or ZSCAN key cursor [MATCH pattern] [COUNT count]. */
export function scanMembers(
  context: Context,
  request: Request,
  reply: ReplyWriter,
  { type, visit }: ScannedType,
): void {
  const cursor = parseCursor(request, 2);
  if (cursor === undefined) return reply.error(ERR_INVALID_CURSOR);
  const ref = readKey(context, request, 1);
  if (ref === NONE) {
    reply.array(2);
    reply.bulkText('0');
    return reply.array(0);
  }
  if (!isOfType(context, ref, type, reply)) return;
  const options = parseScanOptions(request, 3, false, reply);
  if (options === undefined) return;
  const { count, patternAt } = options;
  const mark = reply.beginDeferred();
  const { next, shown } = visit(ref, {
    cursor,
    count,
    matches: (name) => matchesArgument(request, patternAt, name),
  });
  reply.endScan(mark, next, shown);
}
