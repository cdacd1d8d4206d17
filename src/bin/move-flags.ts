/** What tools that move or compare data share: how two deployments are named. */
import type { Command } from 'commander';
import type { DeploymentOptions } from '../client/index.ts';
import { wholeNumber } from './run-tool.ts';
import { addressEnvironment } from './tls-flags.ts';

export interface EndFlags {
  readonly sourceMaster?: string;
  readonly targetMaster?: string;
  readonly timeout?: number;
  readonly db?: string;
  readonly json?: boolean;
}

const TIMEOUT_MS = 60_000;
const ADDRESSES = `
SOURCE and TARGET: host:port or redis://[user[:password]@]host:port, several separated by commas; standalone or cluster
is found out. With --source-master or --target-master they are Sentinels. REDISCLI_AUTH holds the password of both.`;

/** The flags of every tool with two ends. */
export function withEnds(command: Command): Command {
  return command
    .option('--source-master <name>', 'ask the Sentinels at SOURCE for this master')
    .option('--target-master <name>', 'ask the Sentinels at TARGET for this master')
    .option('--db <pairs>', 'databases, source:target, separated by commas (default: all)')
    .option('--timeout <seconds>', 'how long to wait for a reply (default: 60)', wholeNumber)
    .option('--json', 'events as lines of JSON on standard output')
    .addHelpText('after', ADDRESSES);
}

/** Where a file is meant rather than nodes: by its ending, or as a path. */
export function isFile(text: string): boolean {
  return /\.(rdb|aof|jsonl|manifest)$/.test(text) || /^(\.{0,2}\/)/.test(text);
}

/** The two ends that the arguments name. */
export async function ends(
  source: string,
  target: string,
  flags: EndFlags,
): Promise<{ readonly source: DeploymentOptions; readonly target: DeploymentOptions }> {
  const { parseSeeds } = await import('../client/index.ts');
  const timeoutMs = timeoutOf(flags);
  const environment = await addressEnvironment();
  const end = (text: string, masterName: string | undefined) => ({
    seeds: parseSeeds([text], environment),
    masterName,
    timeoutMs,
  });
  return {
    source: end(source, flags.sourceMaster),
    target: end(target, flags.targetMaster),
  };
}

/** Bound of a reply, milliseconds. */
export function timeoutOf({ timeout }: EndFlags): number {
  return timeout === undefined ? TIMEOUT_MS : timeout * 1000;
}
