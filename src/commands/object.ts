/** OBJECT: how a value is kept, and how it has been used. */
import { LOOKUP_NO_TOUCH, NONE, type Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_IS_LFU, ERR_NOT_LFU } from './data-errors.ts';
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
      run: objectHelp,
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

const HELP: readonly string[] = [
  'OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'ENCODING <key>',
  '    Return the kind of internal representation used in order to store the value',
  '    associated with a <key>.',
  'FREQ <key>',
  '    Return the access frequency index of the <key>. The returned integer is',
  '    proportional to the logarithm of the recent access frequency of the key.',
  'IDLETIME <key>',
  '    Return the idle time of the <key>, that is the approximated number of',
  '    seconds elapsed since the last access to the key.',
  'REFCOUNT <key>',
  '    Return the number of references of the value associated with the specified',
  '    <key>.',
  'HELP',
  '    Prints this help.',
];

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

function objectHelp(_context: Context, _request: Request, reply: ReplyWriter): void {
  reply.array(HELP.length);
  for (const line of HELP) reply.simple(line);
}
