/** How the HyperLogLog commands reach their values. */
import {
  type BytesView,
  ENCODING_EMBSTR,
  ENCODING_RAW,
  type Ref,
  isHll,
} from '../keyspace/index.ts';
import type { ReplyWriter } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_HLL_TYPE } from './data-errors.ts';
import { isString } from './key-access.ts';

/** The bytes of an entry that is a HyperLogLog, in a view that is reused; undefined after an error reply. */
export function hllOf(context: Context, ref: Ref, reply: ReplyWriter): BytesView | undefined {
  if (!isString(context, ref, reply)) return undefined;
  const view = context.db.entries.stringView(ref);
  if (isHll(view)) return view;
  reply.error(ERR_HLL_TYPE);
  return undefined;
}

/** A value that SET made short becomes one that is written in place. */
export function unshare({ db }: Context, ref: Ref): void {
  if (db.entries.encoding(ref) === ENCODING_EMBSTR) db.entries.setEncoding(ref, ENCODING_RAW);
}
