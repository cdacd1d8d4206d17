/** DUMP and RESTORE: a value as one portable piece of bytes. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, NO_EXPIRY, ValueLoader, lendValue } from '../keyspace/index.ts';
import { decodeDump, dumpFrameFlaw } from '../rdb/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import {
  ERR_BUSY_KEY,
  ERR_RESTORE_FREQ,
  ERR_RESTORE_IDLETIME,
  ERR_RESTORE_TTL,
} from './data-errors.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { isPast } from './expire-time.ts';
import { notifyKey, readKey, writeKey } from './key-access.ts';
import { keyAt } from './key-specs.ts';
import type { CommandSpec } from './spec.ts';

export const dumpCommands: readonly CommandSpec[] = [
  {
    name: 'dump',
    since: '2.6.0',
    group: 'generic',
    arity: 2,
    flags: ['readonly'],
    categories: ['@keyspace', '@read', '@slow'],
    keys: [keyAt(1, 'RO', 'access')],
    tips: ['nondeterministic_output'],
    run: dump,
  },
  {
    name: 'restore',
    since: '2.6.0',
    group: 'generic',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['@keyspace', '@write', '@slow', '@dangerous'],
    keys: [keyAt(1, 'OW', 'update')],
    run: restore,
  },
  {
    name: 'restore-asking',
    since: '3.0.0',
    group: 'server',
    arity: -4,
    flags: ['write', 'denyoom', 'asking'],
    categories: ['@keyspace', '@write', '@slow', '@dangerous'],
    keys: [keyAt(1, 'OW', 'update')],
    run: restore,
  },
];

function dump(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.nullBulk();
  const compression = context.server.settings.rdbcompression;
  reply.bulkBytes(lendValue(context.db.store, ref, { compression }));
}

interface RestoreOptions {
  readonly isReplacing: boolean;
  readonly isAbsolute: boolean;
  /** -1 when not given, as the next one. */
  readonly idleSeconds: number;
  readonly frequency: number;
}

/** RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ counter]. */
function restore(context: Context, request: Request, reply: ReplyWriter): void {
  const options = parseOptions(request, reply);
  if (options === undefined) return;
  const { db } = context;
  const { buf } = request;
  const at = request.at[1]!;
  const size = request.size[1]!;
  if (!options.isReplacing && writeKey(context, request, 1) !== NONE) {
    return reply.error(ERR_BUSY_KEY);
  }
  const ttl = request.int(2);
  if (ttl === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  if (ttl < 0) return reply.error(ERR_RESTORE_TTL);
  const payloadAt = request.at[3]!;
  const payloadSize = request.size[3]!;
  const checksChecksum = !context.server.debug.isChecksumIgnored;
  const frameFlaw = dumpFrameFlaw(buf, payloadAt, payloadSize, checksChecksum);
  if (frameFlaw !== undefined) return reply.error(`ERR ${frameFlaw}`);
  const isRelative = ttl > 0 && !options.isAbsolute;
  const expireAt = Number(ttl) + (isRelative ? context.server.unixNow : 0);
  // The old value stays until the new one has proved to be sound.
  const old = db.find(buf, at, size);
  if (old !== NONE) db.setAside(old);
  const loader = new ValueLoader();
  loader.begin(db, { buf, at, size }, ttl > 0 ? expireAt : NO_EXPIRY);
  const flaw = decodeDump(buf, payloadAt, payloadSize, loader);
  if (flaw !== undefined) {
    loader.discard();
    if (old !== NONE) db.link(old);
    const { reason, at: flawAt } = flaw;
    context.server.log('warning', `Bad data format for RESTORE at offset ${flawAt}: ${reason}`);
    return reply.error('ERR Bad data format');
  }
  if (old !== NONE) db.freeAside(old);
  const ref = loader.end();
  db.changed(ref);
  if (ttl > 0 && isPast(context, expireAt)) {
    db.drop(ref);
    if (old !== NONE) {
      context.propagateAs(['DEL', request.bytes(1)]);
      notifyKey(context, KEYSPACE_EVENT.g, 'del', request, 1);
    } else context.server.keyspace.dirty--;
    return reply.ok();
  }
  setUse(context, request, options);
  if (isRelative) context.propagateAs(absoluteForm(request, expireAt));
  notifyKey(context, KEYSPACE_EVENT.n, 'new', request, 1);
  notifyKey(context, KEYSPACE_EVENT.g, 'restore', request, 1);
  reply.ok();
}

function parseOptions(request: Request, reply: ReplyWriter): RestoreOptions | undefined {
  let isReplacing = false;
  let isAbsolute = false;
  let idleSeconds = -1;
  let frequency = -1;
  for (let i = 4; i < request.argc; i++) {
    const hasValue = i + 1 < request.argc;
    if (request.is(i, 'replace')) isReplacing = true;
    else if (request.is(i, 'absttl')) isAbsolute = true;
    else if (request.is(i, 'idletime') && hasValue && frequency < 0) {
      idleSeconds = useArgument(request, ++i, ERR_RESTORE_IDLETIME, reply);
      if (idleSeconds < 0) return undefined;
    } else if (request.is(i, 'freq') && hasValue && idleSeconds < 0) {
      frequency = useArgument(request, ++i, ERR_RESTORE_FREQ, reply);
      if (frequency < 0) return undefined;
    } else {
      reply.error(ERR_SYNTAX);
      return undefined;
    }
  }
  return { isReplacing, isAbsolute, idleSeconds, frequency };
}

const FREQUENCY_MAX = 255;

/** A number of at least 0 (a frequency to 255), or -1 after an error reply. */
function useArgument(request: Request, i: number, rangeError: string, reply: ReplyWriter): number {
  const value = request.int(i);
  const max = rangeError === ERR_RESTORE_FREQ ? FREQUENCY_MAX : Number.POSITIVE_INFINITY;
  if (value !== NOT_INTEGER && value >= 0 && value <= max) return Number(value);
  reply.error(value === NOT_INTEGER ? ERR_NOT_INTEGER : rangeError);
  return -1;
}

function setUse(context: Context, request: Request, options: RestoreOptions): void {
  const { db, server } = context;
  const ref = db.find(request.buf, request.at[1]!, request.size[1]!);
  if (server.keyspace.recency.kind === 'lfu') {
    if (options.frequency >= 0) db.setFrequency(ref, options.frequency);
  } else if (options.idleSeconds >= 0) db.setIdleSeconds(ref, options.idleSeconds);
}

/** The request with the moment of expiry in place of the time to live. */
function absoluteForm(request: Request, expireAt: number): readonly (Buffer | string)[] {
  const args: (Buffer | string)[] = [];
  for (let i = 0; i < request.argc; i++) {
    args.push(i === 2 ? String(expireAt) : request.bytes(i));
  }
  args.push('ABSTTL');
  return args;
}
