/** The subcommands of DEBUG that disturb the cluster bus. */
import { upToZero } from '../base/index.ts';
import type { LinkDirection } from '../cluster/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';

/** DEBUG DROP-CLUSTER-PACKET-FILTER: the number of a packet type, -1 for none, -2 for all. */
export function debugDropPackets({ server }: Context, request: Request, reply: ReplyWriter): void {
  const typeNumber = request.int(2);
  if (typeof typeNumber !== 'number') return reply.error(ERR_NOT_INTEGER);
  server.cluster?.run({ kind: 'dropPackets', typeNumber });
  reply.ok();
}

/** DEBUG CLUSTERLINK KILL to|from|all node. */
export function debugClusterLink({ server }: Context, request: Request, reply: ReplyWriter): void {
  if (server.cluster === undefined) {
    return reply.error('ERR Debug option only available for cluster mode enabled setup!');
  }
  const direction = directionOf(request.text(3));
  if (!request.is(2, 'kill') || direction === undefined) return reply.error(ERR_SYNTAX);
  const nodeId = request.text(4);
  if (server.cluster.machine.node(nodeId) === undefined) {
    return reply.error(`ERR Unknown node ${upToZero(nodeId)}`);
  }
  server.cluster.run({ kind: 'killLinks', nodeId, direction });
  reply.ok();
}

function directionOf(word: string): LinkDirection | undefined {
  const lower = word.toLowerCase();
  return lower === 'to' || lower === 'from' || lower === 'all' ? lower : undefined;
}
