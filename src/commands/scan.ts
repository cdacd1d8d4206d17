/** Walking the keys: SCAN and KEYS. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import type { Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_INVALID_CURSOR } from './data-errors.ts';
import { bytesOf } from './key-access.ts';
import { typeName } from './keys.ts';
import { matchesArgument, parseCursor, parseScanOptions } from './scan-options.ts';
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

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]. */
function scan(context: Context, request: Request, reply: ReplyWriter): void {
  const cursor = parseCursor(request, 1);
  if (cursor === undefined) return reply.error(ERR_INVALID_CURSOR);
  const options = parseScanOptions(request, 2, true, reply);
  if (options === undefined) return;
  const { db } = context;
  const found: Ref[] = [];
  const next = db.scanShown(cursor, options.count, (ref) => {
    if (!matchesArgument(request, options.patternAt, db.entries.key(ref))) return;
    if (isGone(context, ref, options.type !== undefined)) return;
    if (options.type !== undefined && typeName(db.entries.type(ref)) !== options.type) return;
    found.push(ref);
  });
  reply.array(2);
  reply.bulkText(String(next));
  replyKeys(context, reply, found);
}

/**
 * Whether the key has expired, and is removed if this is the master's matter. Asking for its type is a look-up, which
 * misses it.
 */
function isGone(context: Context, ref: Ref, isTyped: boolean): boolean {
  const { db } = context;
  if (!isTyped || !db.isExpired(ref)) return db.expireIfDue(ref);
  const { buf, at, size } = db.entries.key(ref);
  const key = Buffer.from(buf.subarray(at, at + size));
  if (!db.expireIfDue(ref)) return false;
  context.notify(KEYSPACE_EVENT.m, 'keymiss', key, 0, size);
  return true;
}

function keys(context: Context, request: Request, reply: ReplyWriter): void {
  const { db } = context;
  const found: Ref[] = [];
  const isHidingExpired = context.server.keyspace.expiryMode !== 'ignore';
  db.forEachShown((ref) => {
    if (isHidingExpired && db.isExpired(ref)) return;
    if (matchesArgument(request, 1, db.entries.key(ref))) found.push(ref);
  });
  replyKeys(context, reply, found);
}

function replyKeys(context: Context, reply: ReplyWriter, refs: readonly Ref[]): void {
  reply.array(refs.length);
  for (const ref of refs) {
    const key = context.db.entries.key(ref);
    reply.bulk(bytesOf(key), key.at, key.size);
  }
}
