/** One call of a CLUSTER subcommand: what its handler gets, and the arguments that several of them read. */
import { type AdminCommand, adminErrorText } from '../cluster/index.ts';
import { NOT_INTEGER, SLOT_COUNT, type Slot, isSlot } from '../base/index.ts';
import type { Settings } from '../config/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { ERR_CLUSTER_DISABLED, ERR_NOT_INTEGER, unknownUse } from './errors.ts';
import type { ClusterService, Server } from './server.ts';
import type { Session } from './session.ts';
import type { Handler } from './spec.ts';

export interface ClusterCall {
  readonly cluster: ClusterService;
  readonly server: Server;
  readonly session: Session;
  readonly request: Request;
  readonly reply: ReplyWriter;
}

/** A handler that answers an error on a node that is no part of a cluster. */
export function inCluster(run: (call: ClusterCall) => void): Handler {
  return (context, request, reply) => {
    const { server, session } = context;
    const { cluster } = server;
    if (cluster === undefined) return reply.error(ERR_CLUSTER_DISABLED);
    run({ cluster, server, session, request, reply });
  };
}

/** Runs an operator's command and answers OK or why not. */
export function runAdmin({ cluster, reply }: ClusterCall, command: AdminCommand): void {
  const result = cluster.run(command);
  if (result.ok) reply.ok();
  else reply.error(`ERR ${adminErrorText(result.error)}`);
}

/** A slot argument; undefined, with the error answered, when it is none. */
export function slotArgument({ request, reply }: ClusterCall, index: number): Slot | undefined {
  const value = request.int(index);
  if (typeof value === 'number' && isSlot(value)) return value;
  reply.error('ERR Invalid or out of range slot');
  return undefined;
}

/** An integer argument; undefined, with the error answered, when it is none. */
export function integerArgument(call: ClusterCall, index: number): number | undefined {
  const value = call.request.int(index);
  if (value !== NOT_INTEGER) return Number(value);
  call.reply.error(ERR_NOT_INTEGER);
  return undefined;
}

/** Whether a client is told the plain ports, in a cluster whose nodes speak TLS to each other. */
export function isToldPlainPorts(
  { isTls }: Pick<Session, 'isTls'>,
  settings: Pick<Settings, 'tls-cluster'>,
): boolean {
  return settings['tls-cluster'] && !isTls;
}

/** Whether `value` is in [0, 16384). */
export function isSlotNumber(value: number): boolean {
  return value >= 0 && value < SLOT_COUNT;
}

/** Too many arguments for a subcommand that takes a few forms. */
export function refuseForm({ request, reply }: ClusterCall): void {
  reply.error(unknownUse(request.text(1), 'CLUSTER'));
}
