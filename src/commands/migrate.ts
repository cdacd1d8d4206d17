/** MIGRATE: its arguments. The node sends the keys. */
import { NOT_INTEGER } from '../base/index.ts';
import type { Request } from '../resp/index.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import type { MigrateRequest } from './server.ts';
import type { CommandSpec } from './spec.ts';

/** Time-out in place of one that is not positive, ms. Source: 7.0 behaviour. */
const DEFAULT_TIMEOUT_MS = 1000;
const KEY = 3;
const FIRST_OPTION = 6;

export const migrateCommand: CommandSpec = {
  name: 'migrate',
  since: '2.6.0',
  group: 'generic',
  arity: -6,
  flags: ['write', 'movablekeys'],
  categories: ['@keyspace', '@write', '@slow', '@dangerous'],
  tips: ['nondeterministic_output'],
  keys: [
    {
      flags: ['RW', 'access', 'delete'],
      begin: { at: KEY },
      find: { last: 0, step: 1, limit: 0 },
    },
    {
      flags: ['RW', 'access', 'delete', 'incomplete'],
      begin: { keyword: 'KEYS', startFrom: -2 },
      find: { last: -1, step: 1, limit: 0 },
    },
  ],
  findKeys: keyIndexes,
  run: (context, request, reply) => {
    const parsed = parse(request);
    if (typeof parsed === 'string') reply.error(parsed);
    else context.server.migrator.start(context.session, parsed);
  },
};

/** The one key, or those behind KEYS; none when there are both. */
function keyIndexes(request: Request): readonly number[] {
  for (let i = FIRST_OPTION; i < request.argc - 1; i++) {
    if (request.is(i, 'auth')) i++;
    else if (request.is(i, 'auth2')) i += 2;
    else if (request.is(i, 'keys')) {
      return request.size[KEY] === 0 ? indexesFrom(i + 1, request.argc) : [];
    }
  }
  return [KEY];
}

function indexesFrom(first: number, end: number): readonly number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}

type Options = Pick<MigrateRequest, 'isCopy' | 'isReplacing' | 'auth' | 'keys'>;

/** The request, or the error that answers it. */
function parse(request: Request): MigrateRequest | string {
  const options = parseOptions(request);
  if (typeof options === 'string') return options;
  const timeoutMs = request.int(5);
  const targetDb = request.int(4);
  if (timeoutMs === NOT_INTEGER || targetDb === NOT_INTEGER) return ERR_NOT_INTEGER;
  const port = request.int(2);
  return {
    host: request.text(1),
    // Nobody answers at 0, which is what becomes of a port that is none.
    port: typeof port === 'number' && port > 0 && port <= 65535 ? port : 0,
    targetDb: Number(targetDb),
    timeoutMs: timeoutMs > 0 ? Number(timeoutMs) : DEFAULT_TIMEOUT_MS,
    ...options,
  };
}

function parseOptions(request: Request): Options | string {
  let isCopy = false;
  let isReplacing = false;
  let auth: Options['auth'];
  for (let i = FIRST_OPTION; i < request.argc; i++) {
    const left = request.argc - 1 - i;
    if (request.is(i, 'copy')) {
      isCopy = true;
    } else if (request.is(i, 'replace')) {
      isReplacing = true;
    } else if (request.is(i, 'auth') && left >= 1) {
      auth = { user: undefined, password: request.copy(++i) };
    } else if (request.is(i, 'auth2') && left >= 2) {
      const user = request.text(++i);
      auth = { user, password: request.copy(++i) };
    } else if (request.is(i, 'keys')) {
      if (request.size[KEY] !== 0) {
        return 'ERR When using MIGRATE KEYS option, the key argument must be set to the empty string';
      }
      const keys = indexesFrom(i + 1, request.argc).map((index) => request.copy(index));
      return { isCopy, isReplacing, auth, keys };
    } else {
      return ERR_SYNTAX;
    }
  }
  return { isCopy, isReplacing, auth, keys: [request.copy(KEY)] };
}
