/** `slotline migrate run`: its arguments, and RedisShake's own in their place. */
import { type Command, Option } from 'commander';
import { type EndFlags, ends, isFile, timeoutOf, withEnds } from './move-flags.ts';
import { atLeastOne, runTool, wholeNumber } from './run-tool.ts';
import { endSignals } from '../tools/index.ts';
import type { MigrateEnd, RunOptions, ShakeEnd } from '../tools/migrate/index.ts';

interface RunFlags extends EndFlags {
  readonly config?: string;
  readonly type?: string;
  readonly sourceMode: 'psync' | 'scan';
  readonly until?: string;
  readonly filter?: readonly string[];
  readonly exclude?: readonly string[];
  readonly slots?: string;
  readonly commands?: readonly string[];
  readonly excludeCommands?: readonly string[];
  readonly onConflict: 'replace' | 'skip' | 'fail';
  readonly dropFieldExpiry?: boolean;
  readonly removeExtra?: boolean;
  readonly stopWhenSynced?: boolean;
  readonly restart?: boolean;
  readonly dir: string;
  readonly spoolMax?: number;
  readonly forks?: number;
  readonly rate?: number;
}

export const DIR = './slotline-migrate';
export const MEGABYTE: number = 1024 * 1024;
const SPOOL_MEGABYTES = 10_240;
const FILES = `
SOURCE may also be an RDB file, an append-only file, or the directory or manifest of one in parts (./appendonlydir);
TARGET a file that is made: ./out.rdb, ./out.aof (commands) or ./out.jsonl, with the keys of one moment of each master.
In place of both: --config with RedisShake's shake.toml (4.x) or redis-shake.conf (2.x, with -type=sync, rump, restore,
dump or decode). Flags that are given beside it count; its options without a meaning here are named and ignored.`;

/** Adds `migrate run`. */
export function addRun(migrate: Command): void {
  const command = migrate
    .command('run')
    .description(
      'a snapshot of each master, then its writes, until told to stop; Ctrl-C ends it in order',
    )
    .argument('[source]', 'where the data is')
    .argument('[target]', 'where it goes')
    .option('--config <file>', 'what and where as a configuration of RedisShake says')
    .addOption(new Option('--type <type>', 'of a configuration of version 2').hideHelp())
    .addOption(
      new Option(
        '--source-mode <how>',
        'follow each master as a replica does, or scan it again and again',
      )
        .choices(['psync', 'scan'])
        .default('psync'),
    )
    .option(
      '--until <time>',
      'of a log: leave out what came later, by its time stamps (Unix seconds or ISO 8601)',
    );
  withOptions(withFilters(withEnds(command))).addHelpText('after', FILES);
  command.action((source: string | undefined, target: string | undefined, flags: RunFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { run } = await import('../tools/migrate/index.ts');
      const config = flags.config ?? (target === undefined ? source : undefined);
      if (config === undefined) return run(await optionsOf(source, target, flags), screen);
      const { readShakeConfig } = await import('../tools/migrate/index.ts');
      const wishes = readShakeConfig(config, { type: flags.type, env: process.env });
      for (const name of wishes.ignored) screen.note(`${config}: ${name} means nothing here`);
      const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
      return run(await shakeOptions(wishes, flags, isGiven), screen);
    }),
  );
}

/** `-conf=file -type=sync`, as RedisShake 2 is called, reads as `--config=file --type=sync`. */
export function withLongNames(args: readonly string[]): string[] {
  return args.map((arg) => arg.replace(/^-conf\b/, '--config').replace(/^-type\b/, '--type'));
}

function withFilters(command: Command): Command {
  return command
    .option(
      '--filter <patterns...>',
      'only keys that match one of these: globs, or /regular expressions/',
    )
    .option('--exclude <patterns...>', 'no keys that match one of these')
    .option('--slots <ranges>', 'only keys of these slots, as in 0-100,200')
    .option('--commands <names...>', 'of the writes after the snapshot only these commands')
    .option('--exclude-commands <names...>', 'and none of these');
}

function withOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--on-conflict <how>', 'what to do about keys that the target has')
        .choices(['replace', 'skip', 'fail'])
        .default('replace'),
    )
    .option(
      '--drop-field-expiry',
      'where the target has no fields that expire: let them stay for good, in place of ending',
    )
    .option(
      '--remove-extra',
      'empty the target first, so that it ends with the keys of the source only',
    )
    .option('--stop-when-synced', 'end when every write of the source is on the target')
    .option(
      '--dir <folder>',
      'for progress, what waits and what could not be carried out; the next run goes on with it',
      DIR,
    )
    .option(
      '--rate <megabytes>',
      'carry out no more of each master a second (default: what was ordered last)',
      wholeNumber,
    )
    .option('--restart', 'forget what an earlier run left in --dir, and begin anew')
    .option(
      '--spool-max <megabytes>',
      'what may wait on disk for each master (default: 10240)',
      wholeNumber,
    )
    .option('--forks <count>', 'masters that make a snapshot at once (default: 1)', atLeastOne);
}

async function optionsOf(
  source: string | undefined,
  target: string | undefined,
  flags: RunFlags,
): Promise<RunOptions> {
  const { ToolError } = await import('../tools/index.ts');
  if (source === undefined || target === undefined) {
    throw new ToolError('USAGE', 'Cannot start: name SOURCE and TARGET, or --config FILE');
  }
  const { KeyFilter } = await import('../tools/migrate/index.ts');
  const { parseDatabases } = await import('../tools/flow/index.ts');
  return {
    ...commonOptions(flags),
    source: await endOf(source, 'source', flags),
    target: await endOf(target, 'target', flags),
    sourceMode: flags.sourceMode,
    untilUnixSeconds: await untilOf(flags.until),
    databases: parseDatabases(flags.db),
    withoutDatabases: [],
    filter: KeyFilter.of({
      only: flags.filter ?? [],
      without: flags.exclude ?? [],
      slots: flags.slots,
      onlyCommands: flags.commands ?? [],
      withoutCommands: flags.excludeCommands ?? [],
    }),
    conflict: flags.onConflict,
    removesExtra: flags.removeExtra === true,
    stopsWhenSynced: flags.stopWhenSynced === true,
  };
}

type Wishes = ReturnType<typeof import('../tools/migrate/index.ts').readShakeConfig>;

async function shakeOptions(
  wishes: Wishes,
  flags: RunFlags,
  isGiven: (name: string) => boolean,
): Promise<RunOptions> {
  const { KeyFilter } = await import('../tools/migrate/index.ts');
  const common = commonOptions(flags);
  const timeoutMs = timeoutOf(flags);
  const end = (wish: ShakeEnd): MigrateEnd =>
    wish.kind === 'files' ? wish : { kind: 'nodes', nodes: { ...wish.nodes, timeoutMs } };
  return {
    ...common,
    ...(wishes.dir === undefined || isGiven('dir') ? {} : { dir: wishes.dir }),
    ...(wishes.forksMax === undefined || isGiven('forks') ? {} : { forksMax: wishes.forksMax }),
    source: end(wishes.source),
    target: end(wishes.target),
    sourceMode: wishes.sourceMode,
    untilUnixSeconds: wishes.untilUnixSeconds,
    databases: wishes.databases,
    withoutDatabases: wishes.withoutDatabases,
    filter: KeyFilter.of(wishes.filter),
    conflict: isGiven('onConflict') ? flags.onConflict : wishes.conflict,
    removesExtra: flags.removeExtra === true || wishes.removesExtra,
    stopsWhenSynced: flags.stopWhenSynced === true || wishes.stopsWhenSynced,
  };
}

function commonOptions(
  flags: RunFlags,
): Pick<
  RunOptions,
  'dir' | 'isRestart' | 'spoolBytesMax' | 'forksMax' | 'rateBytes' | 'signal' | 'fieldExpiry'
> {
  return {
    dir: flags.dir,
    fieldExpiry: flags.dropFieldExpiry === true ? 'drop' : 'refuse',
    isRestart: flags.restart === true,
    spoolBytesMax: (flags.spoolMax ?? SPOOL_MEGABYTES) * MEGABYTE,
    forksMax: flags.forks ?? 1,
    rateBytes: flags.rate === undefined ? undefined : flags.rate * MEGABYTE,
    signal: endSignals().signal,
  };
}

async function endOf(
  text: string,
  side: 'source' | 'target',
  flags: RunFlags,
): Promise<MigrateEnd> {
  if (isFile(text)) return { kind: 'files', paths: [text] };
  const both = await ends(text, text, flags);
  return { kind: 'nodes', nodes: both[side] };
}

async function untilOf(text: string | undefined): Promise<number | undefined> {
  if (text === undefined) return undefined;
  const unixSeconds = /^\d+$/.test(text) ? Number(text) : Math.floor(Date.parse(text) / 1000);
  if (Number.isSafeInteger(unixSeconds)) return unixSeconds;
  const { ToolError } = await import('../tools/index.ts');
  throw new ToolError('USAGE', `Cannot read the time "${text}": write Unix seconds or ISO 8601`);
}
