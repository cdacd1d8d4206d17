/** OBJECT: how a value is kept, and how it has been used. */
import { LOOKUP_NO_TOUCH, NONE, type Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_IS_LFU, ERR_NOT_LFU } from './data-errors.ts';
import { helpHandler } from './help.ts';
import { keyAt } from './key-specs.ts';
import type { CommandSpec } from './spec.ts';

export const objectCommand: CommandSpec = {
  name: 'object',
  since: '2.2.3',
  group: 'generic',
  arity: -2,
  flags: [],
  categories: ['@slow'],
  subcommands: [
    {
      name: 'encoding',
      since: '2.2.3',
      group: 'generic',
      arity: 3,
      flags: ['readonly'],
      categories: ['@keyspace', '@read', '@slow'],
      keys: [keyAt(2, 'RO')],
      tips: ['nondeterministic_output'],
      run: objectEncoding,
    },
    {
      name: 'refcount',
      since: '2.2.3',
      group: 'generic',
      arity: 3,
      flags: ['readonly'],
      categories: ['@keyspace', '@read', '@slow'],
      keys: [keyAt(2, 'RO')],
      tips: ['nondeterministic_output'],
      run: refCount,
    },
    {
      name: 'freq',
      since: '4.0.0',
      group: 'generic',
      arity: 3,
      flags: ['readonly'],
      categories: ['@keyspace', '@read', '@slow'],
      keys: [keyAt(2, 'RO')],
      tips: ['nondeterministic_output'],
      run: frequency,
    },
    {
      name: 'help',
      since: '6.2.0',
      group: 'generic',
      arity: 2,
      flags: ['loading', 'stale'],
      categories: ['@keyspace', '@slow'],
      run: helpHandler('object'),
    },
    {
      name: 'idletime',
      since: '2.2.3',
      group: 'generic',
      arity: 3,
      flags: ['readonly'],
      categories: ['@keyspace', '@read', '@slow'],
      keys: [keyAt(2, 'RO')],
      tips: ['nondeterministic_output'],
      run: idleTime,
    },
  ],
};

/** Redis shares the integers below this among keys, and says so as an endless count. */
const SHARED_INTEGERS = 10_000;
const SHARED_COUNT = 0x7fff_ffff;

/** The entry of the key in argument 2, which does not count as a use; NONE after nil. */
function find(context: Context, request: Request, reply: ReplyWriter): Ref {
  const ref = context.db.lookup(request.buf, request.at[2]!, request.size[2]!, LOOKUP_NO_TOUCH);
  if (ref === NONE) reply.nullBulk();
  return ref;
}

function objectEncoding(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = find(context, request, reply);
  if (ref !== NONE) reply.bulkText(context.db.entries.encodingName(ref));
}

function idleTime(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = find(context, request, reply);
  if (ref === NONE) return;
  if (context.server.keyspace.recency.kind === 'lfu') return reply.error(ERR_IS_LFU);
  reply.int(context.db.idleSeconds(ref));
}

function frequency(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = find(context, request, reply);
  if (ref === NONE) return;
  if (context.server.keyspace.recency.kind === 'lru') return reply.error(ERR_NOT_LFU);
  reply.int(context.db.frequency(ref));
}

function refCount(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = find(context, request, reply);
  if (ref === NONE) return;
  const { entries } = context.db;
  const value = entries.isInt(ref) ? entries.intValue(ref) : -1;
  const isShared = value >= 0 && value < SHARED_INTEGERS && !needsOwnUse(context);
  reply.int(isShared ? SHARED_COUNT : 1);
}

/** Whether eviction looks at each value's use, so that values cannot be shared. */
function needsOwnUse(context: Context): boolean {
  const { settings } = context.server;
  return settings.maxmemory > 0 && /-l[rf]u$/.test(settings['maxmemory-policy']);
}
