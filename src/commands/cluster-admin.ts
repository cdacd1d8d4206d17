/** The CLUSTER subcommands that change the cluster. What they ask is decided by the cluster machine. */
import { NOT_INTEGER, upToZero } from '../base/index.ts';
import { type SlotAction, adminErrorText } from '../cluster/index.ts';
import {
  type ClusterCall,
  integerArgument,
  refuseForm,
  runAdmin,
  slotArgument,
} from './cluster-call.ts';
import { ERR_SYNTAX, wrongArity } from './errors.ts';

/** Distance of the bus port from the client port when CLUSTER MEET does not name it. */
const BUS_PORT_INCREMENT = 10000;

export function meet(call: ClusterCall): void {
  const { request, reply } = call;
  if (request.argc > 5) return refuseForm(call);
  const port = request.int(3);
  if (port === NOT_INTEGER) {
    return reply.error(`ERR Invalid TCP base port specified: ${upToZero(request.text(3))}`);
  }
  const busPort = request.argc === 5 ? request.int(4) : Number(port) + BUS_PORT_INCREMENT;
  if (busPort === NOT_INTEGER) {
    return reply.error(`ERR Invalid TCP bus port specified: ${upToZero(request.text(4))}`);
  }
  const ip = request.text(2);
  runAdmin(call, { kind: 'meet', ip, port: Number(port), busPort: Number(busPort) });
}

export function addSlots(call: ClusterCall): void {
  const slots = listedSlots(call);
  if (slots !== undefined) runAdmin(call, { kind: 'addSlots', slots });
}

export function delSlots(call: ClusterCall): void {
  const slots = listedSlots(call);
  if (slots !== undefined) runAdmin(call, { kind: 'delSlots', slots });
}

export function addSlotsRange(call: ClusterCall): void {
  const slots = rangedSlots(call, 'cluster|addslotsrange');
  if (slots !== undefined) runAdmin(call, { kind: 'addSlots', slots });
}

export function delSlotsRange(call: ClusterCall): void {
  const slots = rangedSlots(call, 'cluster|delslotsrange');
  if (slots !== undefined) runAdmin(call, { kind: 'delSlots', slots });
}

function listedSlots(call: ClusterCall): readonly number[] | undefined {
  const slots: number[] = [];
  for (let i = 2; i < call.request.argc; i++) {
    const slot = slotArgument(call, i);
    if (slot === undefined) return undefined;
    slots.push(slot);
  }
  return slots;
}

/** Pairs of first and last slot, both included. A slot named twice ends the list: the machine refuses it. */
function rangedSlots(call: ClusterCall, name: string): readonly number[] | undefined {
  const { request, reply } = call;
  if (request.argc % 2 === 1) {
    reply.error(wrongArity(name));
    return undefined;
  }
  const slots: number[] = [];
  const seen = new Set<number>();
  for (let i = 2; i < request.argc; i += 2) {
    const first = slotArgument(call, i);
    if (first === undefined) return undefined;
    const last = slotArgument(call, i + 1);
    if (last === undefined) return undefined;
    if (first > last) {
      reply.error(`ERR start slot number ${first} is greater than end slot number ${last}`);
      return undefined;
    }
    for (let slot: number = first; slot <= last; slot++) {
      slots.push(slot);
      if (seen.has(slot)) return slots;
      seen.add(slot);
    }
  }
  return slots;
}

export function flushSlots(call: ClusterCall): void {
  runAdmin(call, { kind: 'flushSlots' });
}

export function setSlot(call: ClusterCall): void {
  if (call.cluster.machine.myself.role === 'replica') {
    return call.reply.error(`ERR ${adminErrorText({ reason: 'setSlotOnReplica' })}`);
  }
  const slot = slotArgument(call, 2);
  if (slot === undefined) return;
  const action = slotAction(call);
  if (action === undefined) {
    return call.reply.error(
      'ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP',
    );
  }
  runAdmin(call, { kind: 'setSlot', slot, action });
}

function slotAction({ request }: ClusterCall): SlotAction | undefined {
  if (request.argc === 4) return request.is(3, 'stable') ? { to: 'stable' } : undefined;
  if (request.argc !== 5) return undefined;
  const nodeId = request.text(4);
  if (request.is(3, 'migrating')) return { to: 'migrating', nodeId };
  if (request.is(3, 'importing')) return { to: 'importing', nodeId };
  return request.is(3, 'node') ? { to: 'node', nodeId } : undefined;
}

export function bumpEpoch({ cluster, reply }: ClusterCall): void {
  const result = cluster.run({ kind: 'bumpEpoch' });
  if (!result.ok) return reply.error(`ERR ${adminErrorText(result.error)}`);
  reply.simple(`${result.isBumped === true ? 'BUMPED' : 'STILL'} ${result.epoch ?? 0}`);
}

export function setConfigEpoch(call: ClusterCall): void {
  const epoch = integerArgument(call, 2);
  if (epoch !== undefined) runAdmin(call, { kind: 'setConfigEpoch', epoch });
}

export function forget(call: ClusterCall): void {
  runAdmin(call, { kind: 'forget', nodeId: call.request.text(2) });
}

export function replicate(call: ClusterCall): void {
  runAdmin(call, { kind: 'replicate', nodeId: call.request.text(2) });
}

export function failover(call: ClusterCall): void {
  const { request, reply } = call;
  if (request.argc > 3) return refuseForm(call);
  if (request.argc === 2) return runAdmin(call, { kind: 'failover', mode: 'coordinated' });
  if (request.is(2, 'force')) return runAdmin(call, { kind: 'failover', mode: 'force' });
  if (request.is(2, 'takeover')) return runAdmin(call, { kind: 'failover', mode: 'takeover' });
  reply.error(ERR_SYNTAX);
}

export function reset(call: ClusterCall): void {
  const { request, reply } = call;
  if (request.argc > 3) return refuseForm(call);
  const isHard = request.argc === 3 && request.is(2, 'hard');
  if (request.argc === 3 && !isHard && !request.is(2, 'soft')) return reply.error(ERR_SYNTAX);
  runAdmin(call, { kind: 'reset', isHard });
}

export function saveConfig({ cluster, reply }: ClusterCall): void {
  const failure = cluster.saveConfig();
  if (failure === undefined) reply.ok();
  else reply.error(`ERR error saving the cluster node config: ${failure}`);
}
