/** CLUSTER's commands for atomic moves of slots, as Valkey 9 has them. Facts: its documentation of the commands. */
import { upToZero } from '../base/index.ts';
import { rangesText, slotBitmap } from '../cluster/index.ts';
import { type ClusterCall, runAdmin, slotArgument } from './cluster-call.ts';
import { ERR_SYNTAX } from './errors.ts';

type Moves = Extract<Parameters<typeof runAdmin>[1], { kind: 'migrateSlots' }>['moves'];

/** CLUSTER MIGRATESLOTS SLOTSRANGE first last [first last ...] NODE id [SLOTSRANGE ... NODE id ...]. */
export function migrateSlots(call: ClusterCall): void {
  const moves = parseMoves(call);
  if (moves !== undefined) runAdmin(call, { kind: 'migrateSlots', moves });
}

/** Undefined, with the error answered, when the words make no sense. */
function parseMoves(call: ClusterCall): Moves | undefined {
  const { request, reply } = call;
  const moves: Moves[number][] = [];
  let i = 2;
  while (i < request.argc) {
    // valkey-cli 9.1 sends the zero behind the word too; Valkey reads words up to their first zero.
    const isBlock = upToZero(request.text(i++)).toLowerCase() === 'slotsrange';
    const ranges: [number, number][] = [];
    for (; isBlock && i + 1 < request.argc && !request.is(i, 'node'); i += 2) {
      const range = readRange(call, i);
      if (range === undefined) return undefined;
      ranges.push(range);
    }
    if (ranges.length === 0 || i + 1 >= request.argc || !request.is(i, 'node')) {
      reply.error(ERR_SYNTAX);
      return undefined;
    }
    moves.push({ slots: slotBitmap(ranges), targetId: request.text(i + 1) });
    i += 2;
  }
  return moves;
}

function readRange(call: ClusterCall, index: number): [number, number] | undefined {
  const first = slotArgument(call, index);
  if (first === undefined) return undefined;
  const last = slotArgument(call, index + 1);
  if (last === undefined) return undefined;
  if (first <= last) return [first, last];
  call.reply.error(`ERR start slot number ${first} is greater than end slot number ${last}`);
  return undefined;
}

export function cancelSlotMigrations(call: ClusterCall): void {
  runAdmin(call, { kind: 'cancelSlotMigrations' });
}

export function syncSlots({ cluster, session, request }: ClusterCall): void {
  cluster.syncSlots(session, request);
}

/** CLUSTER GETSLOTMIGRATIONS: those under way, then the last that ended. */
export function getSlotMigrations({ cluster, reply }: ClusterCall): void {
  const { machine } = cluster;
  const { transfers } = machine;
  reply.array(transfers.length);
  for (const transfer of transfers) {
    const isExport = transfer.operation === 'EXPORT';
    const peer = isExport ? transfer.target.id : transfer.source.id;
    const { id } = machine.myself;
    const fields: readonly (readonly [string, string | number])[] = [
      ['name', transfer.name],
      ['operation', transfer.operation],
      ['slot_ranges', rangesText(transfer.slots)],
      ['target_node', isExport ? peer : id],
      ['source_node', isExport ? id : peer],
      ['create_time', Math.floor(transfer.createdAt / 1000)],
      ['last_update_time', Math.floor(transfer.updatedAt / 1000)],
      ['last_ack_time', Math.floor(transfer.ackedAt / 1000)],
      ['state', transfer.phase.kind],
      ['message', transfer.message],
      // There is no fork, and nothing is copied on write.
      ['cow_size', 0],
    ];
    reply.map(fields.length);
    for (const [name, value] of fields) {
      reply.bulkText(name);
      if (typeof value === 'number') reply.int(value);
      else reply.bulkText(value);
    }
  }
}
