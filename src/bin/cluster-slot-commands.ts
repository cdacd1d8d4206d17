/** `slotline cluster reshard` and the other tools that move slots: their arguments. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { NodeAddress } from '../client/index.ts';
import {
  type KeyFlags,
  type MoveFlags,
  type SharedFlags,
  list,
  moveOptions,
  oneAddress,
  operateOptions,
  seeds,
  withKeys,
  withMoves,
  withShared,
} from './cluster-flags.ts';
import { runTool, wholeNumber } from './run-tool.ts';

interface ReshardFlags extends MoveFlags {
  readonly from?: readonly string[];
  readonly clusterFrom?: readonly string[];
  readonly to?: string;
  readonly clusterTo?: string;
  readonly slots?: number;
  readonly clusterSlots?: number;
}

interface RebalanceFlags extends MoveFlags {
  readonly weight?: ReadonlyMap<string, number>;
  readonly clusterWeight?: ReadonlyMap<string, number>;
  readonly by: 'slots' | 'keys' | 'memory';
  readonly useEmptyMasters?: boolean;
  readonly clusterUseEmptyMasters?: boolean;
  readonly threshold?: number;
  readonly clusterThreshold?: number;
  readonly clusterSimulate?: boolean;
}

interface FixFlags extends MoveFlags {
  readonly fixWithUnreachableMasters?: boolean;
  readonly clusterFixWithUnreachableMasters?: boolean;
}

interface ImportFlags extends SharedFlags, KeyFlags {
  readonly yes?: boolean;
  readonly clusterYes?: boolean;
  readonly dryRun?: boolean;
  readonly from?: string;
  readonly clusterFrom?: string;
  readonly clusterFromUser?: string;
  readonly clusterFromPass?: string;
  readonly fromDb?: number;
  readonly copy?: boolean;
  readonly clusterCopy?: boolean;
}

interface ResumeFlags extends MoveFlags {
  readonly rollback?: boolean;
}

/** Source: redis-cli --cluster rebalance. */
const THRESHOLD_PERCENT = 2;

/** Adds the tools that move slots. */
export function addSlotCommands(cluster: Command): void {
  addReshard(cluster);
  addRebalance(cluster);
  addFix(cluster);
  addImport(cluster);
  addResume(cluster);
}

function addReshard(cluster: Command): void {
  withMoves(
    cluster
      .command('reshard')
      .description('move slots with their keys to one master, while clients go on')
      .argument('[nodes...]', 'any node of the cluster; several are tried in order')
      .option('--from <nodes>', 'masters that give, separated by commas, or "all"', list)
      .addOption(new Option('--cluster-from <nodes>').argParser(list).hideHelp())
      .option('--to <node>', 'the master that gets them: its id or host:port')
      .addOption(new Option('--cluster-to <node>').hideHelp())
      .option('--slots <count>', 'how many', wholeNumber)
      .addOption(new Option('--cluster-slots <count>').argParser(wholeNumber).hideHelp()),
  ).action((nodes: string[], flags: ReshardFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { reshard } = await import('../tools/cluster/index.ts');
      const from = flags.from ?? flags.clusterFrom;
      const to = flags.to ?? flags.clusterTo;
      const slots = flags.slots ?? flags.clusterSlots;
      const isWhole = from !== undefined && to !== undefined && slots !== undefined;
      const wish = isWhole ? { from, to, slots } : undefined;
      return reshard(wish, await operateOptions(nodes, flags), screen);
    }),
  );
}

function addRebalance(cluster: Command): void {
  withMoves(
    cluster
      .command('rebalance')
      .description('give each master its share of the slots')
      .argument('[nodes...]', 'any node of the cluster; several are tried in order')
      .option(
        '--weight <node=weight...>',
        'share of a master; 1 when not said, 0 empties it',
        weight,
      )
      .addOption(new Option('--cluster-weight <node=weight...>').argParser(weight).hideHelp())
      .addOption(
        new Option('--by <what>', 'what is shared out')
          .choices(['slots', 'keys', 'memory'])
          .default('slots'),
      )
      .option('--use-empty-masters', 'masters without slots get some too')
      .addOption(new Option('--cluster-use-empty-masters').hideHelp())
      .option(
        '--threshold <percent>',
        `do nothing while nobody is off by more (default: ${THRESHOLD_PERCENT})`,
        percent,
      )
      .addOption(new Option('--cluster-threshold <percent>').argParser(percent).hideHelp())
      .addOption(new Option('--cluster-simulate').hideHelp()),
  ).action((nodes: string[], flags: RebalanceFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { rebalance } = await import('../tools/cluster/index.ts');
      const options = await operateOptions(nodes, flags);
      return rebalance(
        {
          weights: flags.weight ?? flags.clusterWeight ?? new Map(),
          usesEmptyMasters: flags.useEmptyMasters === true || flags.clusterUseEmptyMasters === true,
          by: flags.by,
          thresholdPercent: flags.threshold ?? flags.clusterThreshold ?? THRESHOLD_PERCENT,
        },
        { ...options, isDryRun: options.isDryRun || flags.clusterSimulate === true },
        screen,
      );
    }),
  );
}

function addFix(cluster: Command): void {
  withMoves(
    cluster
      .command('fix')
      .description('mend slots: give them one owner, close them, bring their keys together')
      .argument('[nodes...]', 'any node of the cluster; several are tried in order')
      .option(
        '--fix-with-unreachable-masters',
        'go on without the keys of masters that cannot be reached',
      )
      .addOption(new Option('--cluster-fix-with-unreachable-masters').hideHelp())
      .addOption(new Option('--cluster-search-multiple-owners').hideHelp()),
  ).action((nodes: string[], flags: FixFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { fix } = await import('../tools/cluster/index.ts');
      const usesUnreachable =
        flags.fixWithUnreachableMasters === true || flags.clusterFixWithUnreachableMasters === true;
      return fix({ usesUnreachable }, await operateOptions(nodes, flags), screen);
    }),
  );
}

function addImport(cluster: Command): void {
  withKeys(
    withShared(
      cluster
        .command('import')
        .description('move the keys of a single server into the cluster, while clients go on')
        .argument('[nodes...]', 'any node of the cluster; several are tried in order')
        .option('--from <address>', 'the server that has the keys')
        .addOption(new Option('--cluster-from <address>').hideHelp())
        .addOption(new Option('--cluster-from-user <name>').hideHelp())
        .addOption(new Option('--cluster-from-pass <password>').hideHelp())
        .option('--from-db <number>', 'which of its databases', wholeNumber)
        .option('--copy', 'the server keeps its keys')
        .addOption(new Option('--cluster-copy').hideHelp())
        .option('-y, --yes', 'do not ask')
        .addOption(new Option('--cluster-yes').hideHelp())
        .option('--dry-run', 'show the plan and change nothing'),
    ),
  ).action((nodes: string[], flags: ImportFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { importKeys } = await import('../tools/cluster/index.ts');
      const source = await sourceOf(flags);
      return importKeys(
        {
          seeds: await seeds(nodes),
          source,
          database: flags.fromDb ?? (source.db === 0 ? undefined : source.db),
          isCopying: flags.copy === true || flags.clusterCopy === true,
          move: await moveOptions(flags),
          isConfirmed: flags.yes === true || flags.clusterYes === true,
          isDryRun: flags.dryRun === true,
        },
        screen,
      );
    }),
  );
}

async function sourceOf(flags: ImportFlags): Promise<NodeAddress> {
  const text = flags.from ?? flags.clusterFrom;
  if (text === undefined) {
    const { ToolError } = await import('../tools/index.ts');
    throw new ToolError('USAGE', 'Cannot import: say --from');
  }
  const address = await oneAddress(text);
  const { clusterFromUser: username, clusterFromPass: password } = flags;
  return {
    ...address,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

function addResume(cluster: Command): void {
  withMoves(
    cluster
      .command('resume')
      .description('go on with an interrupted run, or take its slot moves back')
      .argument('[nodes...]', 'any node of the cluster; several are tried in order')
      .option('--rollback', 'move the slots back where they came from'),
  ).action((nodes: string[], flags: ResumeFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { resumeOnly } = await import('../tools/cluster/index.ts');
      return resumeOnly(flags.rollback === true, await operateOptions(nodes, flags), screen);
    }),
  );
}

function percent(text: string): number {
  if (!/^\d{1,3}(\.\d+)?$/.test(text)) throw new InvalidArgumentError('Give a percentage.');
  return Number(text);
}

/** `node=weight`, given once or more. */
function weight(
  text: string,
  before: ReadonlyMap<string, number> | undefined,
): ReadonlyMap<string, number> {
  const match = /^(\S+)=(\d{1,6}(?:\.\d+)?)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Write node=weight.');
  return new Map([...(before ?? []), [match[1] ?? '', Number(match[2])]]);
}
