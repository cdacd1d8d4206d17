/** Arguments that several cluster tools share, with the spellings of `redis-cli --cluster` beside ours. */
import { type Command, Option } from 'commander';
import type { NodeAddress } from '../client/index.ts';
import type { OperateOptions } from '../tools/cluster/index.ts';
import { wholeNumber } from './run-tool.ts';
import { addressEnvironment } from './tls-flags.ts';

export interface SharedFlags {
  readonly json?: boolean;
  readonly timeout?: number;
}

/** What the tools take that plan first. */
export interface PlanFlags extends SharedFlags {
  readonly yes?: boolean;
  readonly clusterYes?: boolean;
  readonly dryRun?: boolean;
  readonly plan?: string;
  readonly apply?: string;
  readonly journal: string;
}

/** What the tools take that move keys. */
export interface KeyFlags {
  readonly pipeline?: number;
  readonly clusterPipeline?: number;
  readonly migrateTimeout?: number;
  readonly clusterTimeout?: number;
  readonly replace?: boolean;
  readonly clusterReplace?: boolean;
  readonly throttle?: number;
  readonly keyBytesMax?: number;
  readonly atomic?: boolean;
}

/** What the tools take that plan moves of keys. */
export interface MoveFlags extends PlanFlags, KeyFlags {}

const STEP_TIMEOUT_MS = 60_000;

export async function seeds(texts: readonly string[]): Promise<readonly NodeAddress[]> {
  const { parseSeeds } = await import('../client/index.ts');
  return parseSeeds(texts, await addressEnvironment());
}

export async function oneAddress(text: string): Promise<NodeAddress> {
  const { parseAddress } = await import('../client/index.ts');
  return parseAddress(text, await addressEnvironment());
}

export function withJson(command: Command): Command {
  return command.option('--json', 'the result as JSON on standard output');
}

/** What tools take that wait for something. */
export function withShared(command: Command): Command {
  return withJson(command).option(
    '--timeout <seconds>',
    'how long to wait for each step',
    wholeNumber,
  );
}

/** What tools take that plan first. */
export function withPlan(command: Command): Command {
  return withShared(command)
    .option('-y, --yes', 'do not ask')
    .addOption(new Option('--cluster-yes').hideHelp())
    .option('--dry-run', 'show the plan and change nothing')
    .addOption(
      new Option('--plan <file>', 'write the plan to a file and change nothing').conflicts('apply'),
    )
    .option('--apply <file>', 'carry out the plan in a file')
    .option('--journal <folder>', 'where the journal lives that an interrupted run leaves', '.');
}

/** What tools take that plan moves of keys. */
export function withMoves(command: Command): Command {
  return withKeys(withPlan(command)).option(
    '--key-bytes-max <bytes>',
    'slots with a larger key stay: it would block both nodes (default: all move)',
    wholeNumber,
  );
}

/** What tools take that move keys. */
export function withKeys(command: Command): Command {
  return command
    .option('--pipeline <keys>', 'keys of one MIGRATE at most (default: 1000)', wholeNumber)
    .addOption(new Option('--cluster-pipeline <keys>').argParser(wholeNumber).hideHelp())
    .option('--migrate-timeout <ms>', 'bound of one MIGRATE (default: 60000)', wholeNumber)
    .addOption(new Option('--cluster-timeout <ms>').argParser(wholeNumber).hideHelp())
    .option('--replace', "the source's value wins where both nodes have a key")
    .addOption(new Option('--cluster-replace').hideHelp())
    .option('--no-atomic', 'move key by key also where both nodes can hand slots over as a whole')
    .option('--throttle <keys>', 'keys a second at most', wholeNumber);
}

export function timeoutOf({ timeout }: SharedFlags, byDefaultMs: number): number {
  return timeout === undefined ? byDefaultMs : timeout * 1000;
}

/** The options of a tool that plans first. */
export async function operateOptions(
  nodes: readonly string[],
  flags: MoveFlags,
): Promise<OperateOptions> {
  return {
    seeds: await seeds(nodes),
    timeoutMs: timeoutOf(flags, STEP_TIMEOUT_MS),
    isConfirmed: flags.yes === true || flags.clusterYes === true,
    isDryRun: flags.dryRun === true,
    planFile: flags.plan,
    applyFile: flags.apply,
    journalFolder: flags.journal,
    move: await moveOptions(flags),
  };
}

/** How keys are moved. */
export async function moveOptions(flags: KeyFlags): Promise<OperateOptions['move']> {
  const { MOVE_DEFAULTS } = await import('../tools/cluster/index.ts');
  return {
    batchKeysMax: Math.max(
      1,
      flags.pipeline ?? flags.clusterPipeline ?? MOVE_DEFAULTS.batchKeysMax,
    ),
    migrateTimeoutMs:
      flags.migrateTimeout ?? flags.clusterTimeout ?? MOVE_DEFAULTS.migrateTimeoutMs,
    isReplacing: flags.replace === true || flags.clusterReplace === true,
    keysPerSecond: flags.throttle,
    isAtomic: flags.atomic !== false,
    keyBytesMax: flags.keyBytesMax,
  };
}

/** Parser of lists separated by commas. */
export function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
