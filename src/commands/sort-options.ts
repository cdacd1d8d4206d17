/** Arguments of SORT and SORT_RO. */
import { NOT_INTEGER } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { readsAllKeys } from './acl-call.ts';
import type { Context } from './context.ts';
import { ERR_SORT_BY_CLUSTER, ERR_SORT_GET_CLUSTER } from './data-errors.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { SortPattern } from './sort-pattern.ts';

export interface SortOptions {
  isDescending: boolean;
  isAlpha: boolean;
  /** BY a pattern that leads nowhere. */
  isUnsorted: boolean;
  by: SortPattern | undefined;
  readonly get: SortPattern[];
  start: number;
  /** Below 0: all. */
  count: number;
  /** Argument that has the key to store into; 0 for none. */
  storeAt: number;
}

const STAR = 0x2a;

/** The options; undefined after an error reply. */
export function parseSortOptions(
  context: Context,
  request: Request,
  mayStore: boolean,
  reply: ReplyWriter,
): SortOptions | undefined {
  const options: SortOptions = {
    isDescending: false,
    isAlpha: false,
    isUnsorted: false,
    by: undefined,
    get: [],
    start: 0,
    count: -1,
    storeAt: 0,
  };
  for (let i = 2; i < request.argc; i++) {
    const left = request.argc - i - 1;
    let error: string | undefined;
    if (request.is(i, 'asc')) options.isDescending = false;
    else if (request.is(i, 'desc')) options.isDescending = true;
    else if (request.is(i, 'alpha')) options.isAlpha = true;
    else if (left >= 2 && request.is(i, 'limit')) {
      error = setLimit(request, i + 1, options);
      i += 2;
    } else if (left >= 1 && mayStore && request.is(i, 'store')) options.storeAt = ++i;
    else if (left >= 1 && request.is(i, 'by')) error = setBy(context, request, ++i, options);
    else if (left >= 1 && request.is(i, 'get')) {
      if (context.server.cluster !== undefined) error = ERR_SORT_GET_CLUSTER;
      else if (!readsAllKeys(context)) error = denied('GET');
      options.get.push(new SortPattern(request.copy(++i)));
    } else error = ERR_SYNTAX;
    if (error !== undefined) {
      reply.error(error);
      return undefined;
    }
  }
  return options;
}

/** Patterns name keys that the ACL has not seen. */
function denied(option: string): string {
  return `ERR ${option} option of SORT denied due to insufficient ACL permissions.`;
}

function setLimit(request: Request, i: number, options: SortOptions): string | undefined {
  const start = request.int(i);
  const count = request.int(i + 1);
  if (start === NOT_INTEGER || count === NOT_INTEGER) return ERR_NOT_INTEGER;
  options.start = Number(start);
  options.count = Number(count);
  return undefined;
}

function setBy(
  context: Context,
  request: Request,
  i: number,
  options: SortOptions,
): string | undefined {
  const pattern = request.copy(i);
  options.by = undefined;
  // Once told not to sort, Redis does not, whatever BY comes later.
  if (!pattern.includes(STAR)) options.isUnsorted = true;
  else if (context.server.cluster !== undefined) return ERR_SORT_BY_CLUSTER;
  else if (!readsAllKeys(context)) return denied('BY');
  else options.by = new SortPattern(pattern);
  return undefined;
}

/** Arguments that have keys: the first, and the one behind the last STORE. */
export function sortKeys(request: Request): readonly number[] {
  let storeAt = 0;
  for (let i = 2; i < request.argc; i++) {
    if (request.is(i, 'limit')) i += 2;
    else if (request.is(i, 'by') || request.is(i, 'get')) i++;
    else if (i + 1 < request.argc && request.is(i, 'store')) storeAt = ++i;
  }
  return storeAt === 0 ? [1] : [1, storeAt];
}
