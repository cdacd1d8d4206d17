/** `slotline cluster call` and `set-timeout`: one command for many nodes. */
import { type Argument, type NodeAddress, formatReply } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { type NodeReport, closeReport, inspectCluster } from './inspect.ts';

export interface CallOptions {
  readonly seeds: readonly NodeAddress[];
  readonly command: readonly string[];
  readonly nodes: 'all' | 'masters' | 'replicas';
}

/** What a node answered, or why it did not. */
interface Answer {
  readonly address: string;
  readonly reply: string | undefined;
  readonly error: string | undefined;
}

/** Redis refuses less. Source: redis-cli --cluster set-timeout. */
const NODE_TIMEOUT_MS_MIN = 100;

/** Sends a command to every node. Status 1 when one of them refused or could not be asked. Throws ToolError. */
export async function callNodes(options: CallOptions, screen: Screen): Promise<ExitStatus> {
  if (options.command.length === 0) throw new ToolError('USAGE', 'Cannot call: no command given');
  const answers = await askAll(options, [options.command]);
  screen.json({ ok: answers.every(({ error }) => error === undefined), answers });
  for (const { address, reply, error } of answers) {
    const text = error === undefined ? (reply ?? '') : screen.paint('red', error);
    screen.out(`${address}: ${text.includes('\n') ? `\n${text.trimEnd()}` : text}`);
  }
  return answers.every(({ error }) => error === undefined) ? 0 : 1;
}

/** Sets cluster-node-timeout on every node and in its configuration file. Throws ToolError. */
export async function setNodeTimeout(
  seeds: readonly NodeAddress[],
  timeoutMs: number,
  screen: Screen,
): Promise<ExitStatus> {
  if (timeoutMs < NODE_TIMEOUT_MS_MIN) {
    throw new ToolError('USAGE', `Cannot set ${timeoutMs}: at least ${NODE_TIMEOUT_MS_MIN} ms`);
  }
  const answers = await askAll({ seeds, nodes: 'all' }, [
    ['CONFIG', 'SET', 'cluster-node-timeout', timeoutMs],
    ['CONFIG', 'REWRITE'],
  ]);
  const failed = answers.filter(({ error }) => error !== undefined);
  screen.json({ ok: failed.length === 0, timeoutMs, answers });
  for (const { address, error } of failed)
    screen.out(`${screen.paint('red', 'PROBLEM')} ${address}: ${error ?? ''}`);
  const count = answers.length - failed.length;
  screen.out(`cluster-node-timeout is ${timeoutMs} ms on ${count} of ${answers.length} nodes`);
  return failed.length === 0 ? 0 : 1;
}

/** The last reply of each node, or its first error. */
async function askAll(
  { seeds, nodes }: Pick<CallOptions, 'seeds' | 'nodes'>,
  commands: readonly (readonly Argument[])[],
): Promise<Answer[]> {
  const report = await inspectCluster(seeds);
  try {
    const asked = report.nodes.filter(
      ({ node }) => nodes === 'all' || node.role === (nodes === 'masters' ? 'master' : 'replica'),
    );
    return await Promise.all(asked.map((node) => ask(node, commands)));
  } finally {
    closeReport(report);
  }
}

async function ask(
  { name, own, failure }: NodeReport,
  commands: readonly (readonly Argument[])[],
): Promise<Answer> {
  if (own === undefined) return { address: name, reply: undefined, error: failure ?? 'no answer' };
  let last: Reply = null;
  try {
    for (const command of commands) last = await own.client.call(...command);
    return { address: name, reply: formatReply(last), error: undefined };
  } catch (thrown) {
    if (thrown instanceof ReplyError) {
      return { address: name, reply: undefined, error: thrown.message };
    }
    const error = asToolError(thrown, name);
    if (!(error instanceof ToolError)) throw error;
    return { address: name, reply: undefined, error: error.message };
  }
}
