/** Walking the keys: SCAN and KEYS. */
import { NOT_INTEGER, globMatches } from '../base/index.ts';
import type { Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_INVALID_CURSOR } from './data-errors.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { bytesOf } from './key-access.ts';
import { typeName } from './keys.ts';
import type { CommandSpec } from './spec.ts';

export const scanCommands: readonly CommandSpec[] = [
  {
    name: 'scan',
    since: '2.8.0',
    group: 'generic',
    arity: -2,
    flags: ['readonly'],
    categories: ['@keyspace', '@read', '@slow'],
    tips: ['nondeterministic_output', 'request_policy:special'],
    run: scan,
  },
  {
    name: 'keys',
    since: '1.0.0',
    group: 'generic',
    arity: 2,
    flags: ['readonly'],
    categories: ['@keyspace', '@read', '@slow', '@dangerous'],
    tips: ['request_policy:all_shards', 'nondeterministic_output_order'],
    run: keys,
  },
];

/** Keys visited in a call without COUNT. */
const COUNT_DEFAULT = 10;
const SHORT_TEXT_BYTES = 64;
const UINT64_MAX = 18446744073709551615n;

interface ScanOptions {
  readonly count: number;
  /** Argument that has the pattern; undefined for all keys. */
  readonly patternAt: number | undefined;
  /** Name of a type, in lower case. */
  readonly type: string | undefined;
}

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]. */
function scan(context: Context, request: Request, reply: ReplyWriter): void {
  const cursor = parseCursor(shortText(request, 1));
  if (cursor === undefined) return reply.error(ERR_INVALID_CURSOR);
  const options = parseOptions(request, reply);
  if (options === undefined) return;
  const { db } = context;
  const found: Ref[] = [];
  const next = db.scan(cursor, options.count, (ref) => {
    if (!keyMatches(context, request, ref, options.patternAt)) return;
    if (options.type !== undefined && typeName(db.entries.type(ref)) !== options.type) return;
    if (!db.expireIfDue(ref)) found.push(ref);
  });
  reply.array(2);
  reply.bulkText(String(next));
  replyKeys(context, reply, found);
}

function keys(context: Context, request: Request, reply: ReplyWriter): void {
  const { db } = context;
  const found: Ref[] = [];
  const isHidingExpired = context.server.keyspace.expiryMode !== 'ignore';
  db.forEach((ref) => {
    if (isHidingExpired && db.isExpired(ref)) return;
    if (keyMatches(context, request, ref, 1)) found.push(ref);
  });
  replyKeys(context, reply, found);
}

/** An argument of which only a short text can mean something: the beginning is enough to tell. */
function shortText(request: Request, i: number): string {
  return request.bytes(i).toString('latin1', 0, SHORT_TEXT_BYTES);
}

/** An unsigned 64-bit number as C's strtoul() reads it, or undefined. */
function parseCursor(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  if (value > UINT64_MAX || value < -UINT64_MAX) return undefined;
  return Math.min(Number(BigInt.asUintN(64, value)), Number.MAX_SAFE_INTEGER);
}

function parseOptions(request: Request, reply: ReplyWriter): ScanOptions | undefined {
  let count = COUNT_DEFAULT;
  let patternAt: number | undefined;
  let type: string | undefined;
  for (let i = 2; i < request.argc; i += 2) {
    const hasValue = i + 1 < request.argc;
    if (hasValue && request.is(i, 'count')) {
      const value = request.int(i + 1);
      if (value === NOT_INTEGER || value < 1) {
        reply.error(value === NOT_INTEGER ? ERR_NOT_INTEGER : ERR_SYNTAX);
        return undefined;
      }
      count = Number(value);
    } else if (hasValue && request.is(i, 'match')) patternAt = i + 1;
    else if (hasValue && request.is(i, 'type')) type = shortText(request, i + 1).toLowerCase();
    else {
      reply.error(ERR_SYNTAX);
      return undefined;
    }
  }
  return { count, patternAt, type };
}

/** Whether the key matches the pattern in argument `patternAt`; any key does without one. */
function keyMatches(
  context: Context,
  request: Request,
  ref: Ref,
  patternAt: number | undefined,
): boolean {
  if (patternAt === undefined) return true;
  const at = request.at[patternAt]!;
  const size = request.size[patternAt]!;
  if (size === 1 && request.buf[at] === 0x2a) return true;
  const key = context.db.entries.key(ref);
  return globMatches(request.buf, at, size, key.buf, key.at, key.size, false);
}

function replyKeys(context: Context, reply: ReplyWriter, refs: readonly Ref[]): void {
  reply.array(refs.length);
  for (const ref of refs) {
    const key = context.db.entries.key(ref);
    reply.bulk(bytesOf(key), key.at, key.size);
  }
}
