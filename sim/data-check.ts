/** The data at the end: every value was written by someone, nothing promised is missing, and replicas are copies. */
import type { ClusterSim } from './cluster-sim.ts';
import type { Machine } from './machine.ts';
import { bulkText } from './operator.ts';
import type { KeyHistory } from './workload.ts';

export interface DataPromise {
  /** No acknowledged write may be missing. */
  readonly keepsAcknowledged: boolean;
  /** No write that every replica acknowledged may be missing. */
  readonly keepsReplicated: boolean;
}

/** Requests in one go, so that answers come well within their time. */
const BATCH = 500;

/** Compares what the nodes of a healed and idle cluster hold with what the writers know. */
export function checkData(sim: ClusterSim, promise: DataPromise): void {
  const histories = sim.writers.flatMap((writer) => writer.histories);
  const views = sim.operator.views(sim.machines);
  for (const { machine: master } of views.filter((view) => view.role === 'master')) {
    const mine = histories.filter(({ slot }) => sim.checker.ownerOf(slot) === master.name);
    const values = valuesAt(sim, master, mine);
    for (const [index, history] of mine.entries()) {
      checkValue(sim, history, values[index], promise);
    }
    const count = values.filter((value) => value !== undefined).length;
    checkSize(sim, master, count);
    for (const { machine: replica } of views.filter((view) => view.masterIp === master.ip)) {
      const copies = valuesAt(sim, replica, mine);
      const at = copies.findIndex((copy, index) => copy !== values[index]);
      if (at >= 0) {
        const text = `${replica.name} has ${copies[at] ?? 'nothing'} for ${mine[at]!.key}, ${master.name} has ${values[at] ?? 'nothing'}`;
        sim.checker.violate('replicaDiffers', text);
      }
      checkSize(sim, replica, count);
    }
  }
}

function checkValue(
  sim: ClusterSim,
  history: KeyHistory,
  text: string | undefined,
  promise: DataPromise,
): void {
  const { key, issued, acknowledged, replicated } = history;
  const value = text === undefined ? 0 : Number(text);
  if (text !== undefined && !(Number.isInteger(value) && value >= 1 && value <= issued + 1)) {
    sim.checker.violate('inventedValue', `${key} is ${text}, and ${issued} values were written`);
  }
  if (promise.keepsAcknowledged && value < acknowledged) {
    const facts = `${key} is ${text ?? 'gone'}, and ${acknowledged} was acknowledged`;
    sim.checker.violate('acknowledgedWriteLost', facts);
  } else if (promise.keepsReplicated && value < replicated) {
    const facts = `${key} is ${text ?? 'gone'}, and all replicas had acknowledged ${replicated}`;
    sim.checker.violate('acknowledgedWriteLost', facts);
  }
}

/** Keys beyond those of its own slots are writes that a node kept although they are not its to keep. */
function checkSize(sim: ClusterSim, machine: Machine, count: number): void {
  const [size] = sim.operator.ask([{ machine, args: ['DBSIZE'] }]);
  if (size === count) return;
  sim.checker.violate('replicaDiffers', `${machine.name} holds ${String(size)} keys of ${count}`);
}

function valuesAt(
  sim: ClusterSim,
  machine: Machine,
  histories: readonly KeyHistory[],
): (string | undefined)[] {
  const values: (string | undefined)[] = [];
  for (let from = 0; from < histories.length; from += BATCH) {
    const batch = histories.slice(from, from + BATCH);
    const replies = sim.operator.ask(batch.map(({ key }) => ({ machine, args: ['GET', key] })));
    for (const reply of replies) values.push(bulkText(reply));
  }
  return values;
}
