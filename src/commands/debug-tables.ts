/**
 * DEBUG HTSTATS and HTSTATS-KEY. Divergence: our tables are runs of elements in hash order and have neither chains nor a
 * second table that they are rehashed into, so what is told of those is left out.
 */
import { LOOKUP_NO_STATS, LOOKUP_NO_TOUCH, NONE, type TableShape } from '../keyspace/index.ts';
import { NOT_INTEGER } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_NO_SUCH_KEY } from './errors.ts';

/** HTSTATS dbid */
export function databaseTables({ server }: Context, request: Request, reply: ReplyWriter): void {
  const index = request.int(2);
  if (index === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const db = server.keyspace.databases[Number(index)];
  if (db === undefined) return reply.error('ERR Out of range database');
  const { keys, expires } = db.shapes();
  const text = `[Dictionary HT]\n${tableText(keys)}[Expires HT]\n${tableText(expires)}`;
  reply.verbatim('txt', text);
}

/** HTSTATS-KEY key */
export function valueTable({ db }: Context, request: Request, reply: ReplyWriter): void {
  const flags = LOOKUP_NO_TOUCH | LOOKUP_NO_STATS;
  const ref = db.lookup(request.buf, request.at[2]!, request.size[2]!, flags);
  if (ref === NONE) return reply.error(ERR_NO_SUCH_KEY);
  const shape = db.shapeOf(ref);
  if (shape === undefined) {
    return reply.error(
      'ERR The value stored at the specified key is not represented using an hash table',
    );
  }
  reply.verbatim('txt', tableText(shape));
}

function tableText({ elements, places, segments }: TableShape): string {
  const title = 'Hash table 0 stats (main hash table):\n';
  if (elements === 0) return `${title}No stats available for empty dictionaries\n`;
  return (
    `${title} table size: ${places}\n number of elements: ${elements}\n` +
    ` segments: ${segments}\n`
  );
}
