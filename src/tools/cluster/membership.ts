/** `slotline cluster add-node` and `del-node`: one node comes, one node goes, and everyone knows of it at the end. */
import { type NodeAddress, formatAddress } from '../../client/index.ts';
import { type ExitStatus, ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { connectNode, resolveIp } from './connect.ts';
import { type NodeFacts, isLoopback, nodeRefusal } from './create-plan.ts';
import { readFacts } from './create-run.ts';
import { type ClusterReport, nodesOf } from './inspect.ts';
import { chooseMaster, planRemoval } from './membership-plan.ts';
import { type OperateOptions, operate } from './operate.ts';
import type { Step } from './plan.ts';

export interface Addition {
  readonly newNode: NodeAddress;
  readonly isReplica: boolean;
  /** Id, beginning of an id or `host:port` of the master to copy; undefined: the one with the fewest replicas. */
  readonly masterReference: string | undefined;
}

/** Adds an empty node as a master without slots or as a replica. Throws ToolError. */
export function addNode(
  addition: Addition,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  const { newNode, isReplica, masterReference } = addition;
  const name = formatAddress(newNode);
  const isCopy = isReplica || masterReference !== undefined;
  return operate(
    {
      verb: 'add-node',
      wish: `${name} ${isCopy ? (masterReference ?? 'any') : 'master'}`,
      plan: (report) => additionSteps(addition, report),
      nothing: `${name} is a member already`,
      done: () => `${name} is ${isCopy ? 'a replica with the data' : 'a master without slots'}`,
    },
    options,
    screen,
  );
}

/** Takes a node without slots out of the cluster and resets it; `reference` is its id or `host:port`. Throws ToolError. */
export function delNode(
  reference: string,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  return operate(
    {
      verb: 'del-node',
      wish: reference,
      isForBroken: true,
      plan: (report) => removalSteps(reference, report),
      nothing: `${reference} is no member`,
      done: () => `${reference} is no longer part of the cluster`,
    },
    options,
    screen,
  );
}

async function additionSteps(addition: Addition, report: ClusterReport): Promise<Step[]> {
  const { newNode, isReplica, masterReference } = addition;
  const client = await connectNode(newNode);
  let facts: NodeFacts;
  try {
    facts = await readFacts(client, newNode);
  } finally {
    client.close();
  }
  const refusal = nodeRefusal(facts);
  if (refusal !== undefined) throw refused(refusal);
  const ip = await resolveIp(report.seed.node.host);
  if (isLoopback(facts.ip) !== isLoopback(ip)) {
    throw refused(
      `${facts.name} and ${report.seed.name} cannot reach each other, one is a loopback address: name the address the others use`,
    );
  }
  const address = formatAddress({ host: facts.ip, port: facts.port });
  const join: Step = { kind: 'join', node: facts.id, address };
  if (!isReplica && masterReference === undefined) return [join];
  const choice = chooseMaster(nodesOf(report), masterReference);
  if (choice.kind === 'refused') {
    throw new ToolError('USAGE', `Cannot add the node: ${choice.reason}`);
  }
  return [join, { kind: 'replicate', node: facts.id, master: choice.master.id }];
}

function removalSteps(reference: string, report: ClusterReport): Step[] {
  const plan = planRemoval(nodesOf(report), reference);
  if (plan.kind === 'refused') {
    const code = plan.because === 'usage' ? 'USAGE' : 'NODES_REFUSED';
    throw new ToolError(code, `Cannot remove the node: ${plan.reason}`);
  }
  return [
    ...plan.moves.map(({ replica, master }): Step => ({
      kind: 'replicate',
      node: replica.id,
      master: master.id,
    })),
    { kind: 'forget', node: plan.node.id },
  ];
}

function refused(reason: string): ToolError {
  return new ToolError('NODES_REFUSED', `Cannot go on: ${reason}`);
}
