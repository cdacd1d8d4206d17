/** The data at the end: every value was written by someone, nothing promised is missing, and replicas are copies. */
import type { Slot } from '../src/base/index.ts';
import { replyText } from './client.ts';
import type { ClusterSim } from './cluster-sim.ts';
import type { Machine } from './machine.ts';
import type { View } from './operator.ts';
import type { Violation } from './safety-checker.ts';
import type { KeyHistory } from './workload.ts';

export interface DataPromise {
  /** No acknowledged write may be missing. */
  readonly keepsAcknowledged: boolean;
  /** No write that every replica acknowledged may be missing. */
  readonly keepsReplicated: boolean;
}

type Finding = Pick<Violation, 'rule' | 'text'>;
type Value = string | undefined;

/** Requests in one go, so that answers come well within their time. */
const BATCH = 500;
/** Time for the last writes to reach every replica, and for a replica to notice a broken link. */
const SETTLE_MS = 20_000;
const POLL_MS = 1000;

/** Compares what the nodes of a healed and idle cluster hold with what the writers know; lets time pass for stragglers. */
export function checkData(sim: ClusterSim, promise: DataPromise): void {
  let findings: readonly Finding[] = [];
  for (let waitedMs = 0; waitedMs <= SETTLE_MS; waitedMs += POLL_MS) {
    findings = examine(sim, promise);
    if (findings.length === 0) return;
    sim.world.run(POLL_MS);
  }
  for (const { rule, text } of findings) sim.checker.violate(rule, text);
}

function examine(sim: ClusterSim, promise: DataPromise): readonly Finding[] {
  const findings: Finding[] = [];
  const histories = sim.writers.flatMap((writer) => writer.histories);
  const views = sim.operator.views(sim.machines);
  const isOwned = (slot: Slot): boolean =>
    views.some(({ machine }) => machine.name === sim.checker.ownerOf(slot));
  for (const { slot } of histories) {
    if (!isOwned(slot)) return [{ rule: 'notConverged', text: `nobody answers for slot ${slot}` }];
  }
  for (const { machine: master } of views.filter((view) => view.role === 'master')) {
    const mine = histories.filter(({ slot }) => sim.checker.ownerOf(slot) === master.name);
    const values = valuesAt(sim, master, mine);
    if (values === undefined) {
      return [{ rule: 'notConverged', text: `${master.name} does not answer for its keys` }];
    }
    for (const [index, history] of mine.entries()) {
      findings.push(...judgeValue(history, values[index], promise));
    }
    const copies = views.filter((view) => view.masterIp === master.ip);
    findings.push(...compareCopies(sim, { master, copies, histories: mine }, values));
  }
  return findings;
}

/** What is wrong with the value of a key at the end; undefined: it is not there. */
export function judgeValue(
  history: KeyHistory,
  text: string | undefined,
  promise: DataPromise,
): readonly Finding[] {
  const { key, issued, acknowledged, replicated } = history;
  const value = text === undefined ? 0 : Number(text);
  const findings: Finding[] = [];
  if (text !== undefined && !(Number.isInteger(value) && value >= 1 && value <= issued)) {
    const facts = `${key} is ${text}, and ${issued} values were written`;
    findings.push({ rule: 'inventedValue', text: facts });
  }
  if (promise.keepsAcknowledged && value < acknowledged) {
    const facts = `${key} is ${text ?? 'gone'}, and ${acknowledged} was acknowledged`;
    findings.push({ rule: 'acknowledgedWriteLost', text: facts });
  } else if (promise.keepsReplicated && value < replicated) {
    const facts = `${key} is ${text ?? 'gone'}, and all replicas had acknowledged ${replicated}`;
    findings.push({ rule: 'acknowledgedWriteLost', text: facts });
  }
  return findings;
}

function compareCopies(
  sim: ClusterSim,
  shard: {
    readonly master: Machine;
    readonly copies: readonly View[];
    readonly histories: readonly KeyHistory[];
  },
  values: readonly Value[],
): Finding[] {
  const { master, copies, histories } = shard;
  const count = values.filter((value) => value !== undefined).length;
  const findings = judgeSize(sim, master, count);
  for (const { machine: replica } of copies) {
    const found = valuesAt(sim, replica, histories);
    const at = values.findIndex((value, index) => found?.[index] !== value);
    if (at >= 0) {
      const key = histories[at]!.key;
      const text = `${key} is ${found?.[at] ?? 'missing'} on ${replica.name}, ${values[at] ?? 'missing'} on ${master.name}`;
      findings.push({ rule: 'replicaDiffers', text });
    }
    findings.push(...judgeSize(sim, replica, count));
  }
  return findings;
}

/** Keys beyond those of its own slots are writes that a node kept although they are not its to keep. */
function judgeSize(sim: ClusterSim, machine: Machine, count: number): Finding[] {
  const [size] = sim.operator.ask([{ machine, args: ['DBSIZE'] }]);
  if (size === count) return [];
  const text = `${machine.name} holds ${replyText(size)} keys of ${count}`;
  return [{ rule: 'replicaDiffers', text }];
}

/** Undefined when some key got no answer but an error, or none at all. */
function valuesAt(
  sim: ClusterSim,
  machine: Machine,
  histories: readonly KeyHistory[],
): readonly Value[] | undefined {
  const values: Value[] = [];
  for (let from = 0; from < histories.length; from += BATCH) {
    const batch = histories.slice(from, from + BATCH);
    const replies = sim.operator.ask(batch.map(({ key }) => ({ machine, args: ['GET', key] })));
    for (const reply of replies) {
      if (Buffer.isBuffer(reply)) values.push(reply.toString('latin1'));
      else if (reply === null) values.push(undefined);
      else return undefined;
    }
  }
  return values;
}
