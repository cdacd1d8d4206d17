/** PFDEBUG: registers and codes of a HyperLogLog. */
import { HyperLogLog, KEEP_EXPIRY, NONE } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_HLL_CORRUPT } from './data-errors.ts';
import { hllOf, unshare } from './hll-access.ts';
import { shown } from './errors.ts';
import { setRawKey, writeKey } from './key-access.ts';

/** PFDEBUG subcommand key. */
export function pfdebug(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 2);
  if (ref === NONE) return reply.error('ERR The specified key does not exist');
  const view = hllOf(context, ref, reply);
  if (view === undefined) return;
  const work = new HyperLogLog();
  work.load(view);
  unshare(context, ref);
  if (request.is(1, 'getreg')) registers(context, request, work, reply);
  else if (request.is(1, 'decode')) decode(work, reply);
  else if (request.is(1, 'encoding')) reply.simple(work.isDense ? 'dense' : 'sparse');
  else if (request.is(1, 'todense')) {
    const wasDense = work.isDense;
    if (makeDense(context, request, work, reply)) reply.int(wasDense ? 0 : 1);
  } else reply.error(`ERR Unknown PFDEBUG subcommand '${shown(request.text(1), Infinity)}'`);
}

/** Makes the key's HyperLogLog dense; false after an error reply. */
function makeDense(
  context: Context,
  request: Request,
  work: HyperLogLog,
  reply: ReplyWriter,
): boolean {
  if (work.isDense) return true;
  if (!work.makeDense()) {
    reply.error(ERR_HLL_CORRUPT);
    return false;
  }
  setRawKey(context, request, 2, work.bytes, KEEP_EXPIRY);
  return true;
}

function registers(
  context: Context,
  request: Request,
  work: HyperLogLog,
  reply: ReplyWriter,
): void {
  if (!makeDense(context, request, work, reply)) return;
  const mark = reply.beginDeferred();
  let shown = 0;
  work.forEachRun((_first, _count, value) => {
    reply.int(value);
    shown++;
  });
  reply.endArray(mark, shown);
}

/** Longest run of zeros that has a code of one byte. */
const SHORT_ZEROS = 64;

/** The codes of a sparse one as text. */
function decode(work: HyperLogLog, reply: ReplyWriter): void {
  if (work.isDense) return reply.error('ERR HLL encoding is not sparse');
  const words: string[] = [];
  work.forEachRun((_first, count, value) => {
    if (value > 0) words.push(`v:${value},${count}`);
    else words.push(count > SHORT_ZEROS ? `Z:${count}` : `z:${count}`);
  });
  reply.bulkText(words.join(' '));
}
