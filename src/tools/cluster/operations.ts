/** `slotline cluster switchover`, `relocate`, `takeover` and `upgrade`: operations on whole clusters. */
import { type NodeAddress, formatAddress } from '../../client/index.ts';
import { type ExitStatus, ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { connectNode } from './connect.ts';
import { type NodeFacts, nodeRefusal } from './create-plan.ts';
import { readFacts } from './create-run.ts';
import { type OperateOptions, type Operation, operate } from './operate.ts';
import {
  type StepsDecision,
  planRelocation,
  planReplacement,
  planSwitchover,
  planTakeover,
  planUpgrade,
} from './operations-plan.ts';
import type { Step } from './plan.ts';
import type { RunResult } from './plan-run.ts';

/** Hands every shard, or one, over to a replica without losing a write. Throws ToolError. */
export function switchover(
  shard: string | undefined,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  const operation: Operation = {
    verb: 'switchover',
    wish: shard ?? 'all',
    plan: (report) => stepsOf('switch over', planSwitchover(report, shard)),
    nothing: 'No shard to switch over',
    done: (result) => `switched over ${result.notes.length} shards, ${gapText(result)}`,
  };
  return operate(operation, options, screen);
}

/** Moves every shard to new nodes; the old ones leave. Throws ToolError. */
export function relocate(
  to: readonly NodeAddress[],
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  const operation: Operation = {
    verb: 'relocate',
    wish: to.map(({ host, port }) => `${host}:${port}`).join(','),
    plan: async (report) =>
      stepsOf('relocate', planRelocation(report, await Promise.all(to.map(freshFacts)))),
    nothing: 'Nothing to relocate',
    done: (result) => `the cluster lives on ${to.length} new nodes, ${gapText(result)}`,
  };
  return operate(operation, options, screen);
}

/** Promotes replicas whose masters are gone, all at once lost. Throws ToolError. */
export function takeover(
  nodes: readonly string[],
  isEvenIfMastersAnswer: boolean,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  const operation: Operation = {
    verb: 'takeover',
    wish: nodes.join(','),
    isForBroken: true,
    plan: (report) => stepsOf('take over', planTakeover(report, nodes, isEvenIfMastersAnswer)),
    nothing: 'No replica named',
    done: ({ notes }) =>
      `${notes.length} replicas have taken over; writes that had not reached them are lost`,
  };
  return operate(operation, options, screen);
}

export interface Replacement {
  /** The node that is gone: its id, the beginning of it, or `host:port`. */
  readonly gone: string;
  /** The empty node that takes its place. */
  readonly newNode: NodeAddress;
  /** Slots of a master without any replica come back empty. */
  readonly acceptsLoss: boolean;
}

/** Puts a new node in the place of one that is gone. Throws ToolError. */
export function replace(
  { gone, newNode, acceptsLoss }: Replacement,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  const name = formatAddress(newNode);
  const operation: Operation = {
    verb: 'replace',
    wish: `${gone} ${name}`,
    isForBroken: true,
    plan: async (report) =>
      stepsOf('replace', planReplacement(report, gone, await freshFacts(newNode), acceptsLoss)),
    nothing: `${gone} is no member`,
    done: () => `${name} has the place of ${gone}`,
  };
  return operate(operation, options, screen);
}

/** Restarts every node in turn, masters as replicas. Throws ToolError. */
export function upgrade(
  command: string,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  const operation: Operation = {
    verb: 'upgrade',
    wish: command,
    plan: (report) => stepsOf('upgrade', planUpgrade(report, command)),
    nothing: 'No node to restart',
    done: (result) => `every node was restarted, ${gapText(result)}`,
  };
  return operate(operation, options, screen);
}

async function freshFacts(address: NodeAddress): Promise<NodeFacts> {
  const client = await connectNode(address);
  try {
    const facts = await readFacts(client, address);
    const refusal = nodeRefusal(facts);
    if (refusal === undefined) return facts;
    throw new ToolError('NODES_REFUSED', `Cannot go on: ${refusal}`);
  } finally {
    client.close();
  }
}

function stepsOf(what: string, decision: StepsDecision): readonly Step[] {
  if (decision.kind === 'steps') return decision.steps;
  const code = decision.because === 'usage' ? 'USAGE' : 'NODES_REFUSED';
  throw new ToolError(code, `Cannot ${what}: ${decision.reason}`);
}

/** The longest hand-over: no shard took no writes for longer. */
function gapText({ notes }: RunResult): string {
  const gap = Math.max(0, ...notes.map(({ durationMs }) => durationMs));
  return `each took no writes for ${gap} ms at most`;
}
