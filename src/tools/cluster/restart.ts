/** Restarts a node by the user's command and waits until it is back, in touch with all, and has its master's data. */
import { replyFacts, replyText } from '../../client/index.ts';
import { ToolError } from '../errors.ts';
import { commandFor, runCommand } from '../run-command.ts';
import { callNode, connectNode, waitUntil, withCredentials } from './connect.ts';
import { waitForCopy, waitForState } from './create-run.ts';
import type { MembershipContext } from './membership-steps.ts';
import { clientOf, reachable } from './slot-mover.ts';
import { parseClusterNodes } from './topology.ts';

const RETRY_MS = 100;
/** A connection attempt while the node may still be starting. */
const ATTEMPT_MS = 1000;

/** `{host}`, `{port}` and `{id}` in the command stand for the node. Throws ToolError. */
export async function restartNode(
  { node: id, command }: { readonly node: string; readonly command: string },
  { report, timeoutMs }: MembershipContext,
): Promise<void> {
  const target = reachable(report, id);
  const { host, port } = target.node;
  const before = await runIdOf(clientOf(target));
  await runCommand(commandFor(command, { host, port, id }), timeoutMs);
  const address = withCredentials(target.node, report.address);
  await waitUntil(
    async () => {
      try {
        const client = await connectNode(address, ATTEMPT_MS);
        const now = await runIdOf(client).finally(() => client.close());
        return now !== before;
      } catch (error) {
        // It is on its way down or up.
        if (!(error instanceof ToolError)) throw error;
        return false;
      }
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

async function runIdOf(client: Parameters<typeof callNode>[0]): Promise<string> {
  return replyFacts(await callNode(client, 'INFO', 'server')).get('run_id') ?? '';
}
