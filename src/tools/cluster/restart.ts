/** Restarts a node by the user's command and waits until it is back, in touch with all, and has its master's data. */
import { type NodeAddress, replyFacts, replyText } from '../../client/index.ts';

import { ToolError } from '../errors.ts';
import { commandFor, runCommand } from '../run-command.ts';
import { callNode, connectNode, waitUntil, withCredentials } from './connect.ts';
import { waitForCopy, waitForState } from './create-run.ts';
import type { MembershipContext } from './membership-steps.ts';
import { reportOf } from './inspect.ts';
import { clientOf } from './slot-mover.ts';
import { parseClusterNodes } from './topology.ts';

const RETRY_MS = 100;
/** A connection attempt while the node may still be starting. */
const ATTEMPT_MS = 1000;

/** `{host}`, `{port}` and `{id}` in the command stand for the node. Throws ToolError. */
export async function restartNode(
  { node: id, command }: { readonly node: string; readonly command: string },
  { report, timeoutMs }: MembershipContext,
): Promise<void> {
  const target = reportOf(report, id);
  if (target === undefined) return;
  const { host, port } = target.node;
  const address = withCredentials(target.node, report.address);
  const before = await firstRunId(address, target.name, timeoutMs);
  await runCommand(commandFor(command, { host, port, id }), timeoutMs);
  await waitUntil(
    async () => {
      const now = await runIdAt(address);
      return now !== undefined && now !== before;
    },
    timeoutMs,
    () => `${target.name} was not restarted within ${timeoutMs} ms by "${command}"`,
    RETRY_MS,
  );
  const client = await connectNode(address);
  try {
    await waitForState(client, timeoutMs);
    await waitForCopy(client, timeoutMs);
  } finally {
    client.close();
  }
  const others = report.nodes.filter(({ own, node }) => own !== undefined && node.id !== id);
  await Promise.all(
    others.map((other) =>
      waitUntil(
        async () => {
          const text = replyText(await callNode(clientOf(other), 'CLUSTER', 'NODES'));
          const seen = parseClusterNodes(text).find((each) => each.id === id);
          return seen?.isConnected === true && !seen.flags.some((flag) => flag.startsWith('fail'));
        },
        timeoutMs,
        () => `${other.name} has no link to ${target.name} ${timeoutMs} ms after its restart`,
        RETRY_MS,
      ),
    ),
  );
}

/** A run that ended in the middle of a restart may find the node still on its way up. */
async function firstRunId(address: NodeAddress, name: string, timeoutMs: number): Promise<string> {
  let id: string | undefined;
  await waitUntil(
    async () => {
      id = await runIdAt(address);
      return id !== undefined;
    },
    timeoutMs,
    () => `${name} does not answer after ${timeoutMs} ms: start it`,
    RETRY_MS,
  );
  return id ?? '';
}

/** Undefined while it is on its way down or up. */
async function runIdAt(address: NodeAddress): Promise<string | undefined> {
  try {
    const client = await connectNode(address, ATTEMPT_MS);
    const info = await callNode(client, 'INFO', 'server').finally(() => client.close());
    return replyFacts(info).get('run_id') ?? '';
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return undefined;
  }
}
