/** CLUSTER ADDSLOTSRANGE and DELSLOTSRANGE, also at nodes older than 7.0, which know slots one by one only. */
import { type RespClient } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { ToolError } from '../errors.ts';
import { callNode } from './connect.ts';
import { type SlotRange, slotsOf } from './slot-ranges.ts';

/** What 5.0 and 6.x say of a subcommand that they do not know. */
const UNKNOWN = /^ERR Unknown subcommand or wrong number of arguments/;

/** The node takes the slots, or gives them up: none of them may be anybody's, or each has to be somebody's, for the node. */
export async function changeSlots(
  client: RespClient,
  verb: 'ADDSLOTS' | 'DELSLOTS',
  ranges: readonly SlotRange[],
): Promise<void> {
  if (ranges.length === 0) return;
  try {
    await callNode(client, 'CLUSTER', `${verb}RANGE`, ...ranges.flat());
  } catch (error) {
    const cause = error instanceof ToolError ? error.cause : undefined;
    if (!(cause instanceof ReplyError) || !UNKNOWN.test(cause.message)) throw error;
    await callNode(client, 'CLUSTER', verb, ...slotsOf(ranges));
  }
}
