/** `slotline verify` and `slotline migrate`: their arguments. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { atLeastOne, endSignal, runTool, wholeNumber } from './run-tool.ts';

interface EndFlags {
  readonly sourceMaster?: string;
  readonly targetMaster?: string;
  readonly timeout?: number;
  readonly db?: string;
  readonly json?: boolean;
}

interface VerifyFlags extends EndFlags {
  readonly filter?: readonly string[];
  readonly sample?: number;
  readonly rate?: number;
  readonly rounds?: number;
  readonly interval?: number;
  readonly ttlTolerance?: number;
  readonly repair?: 'source' | 'target';
}

interface RunFlags extends EndFlags {
  readonly onConflict: 'replace' | 'skip' | 'fail';
  readonly removeExtra?: boolean;
  readonly stopWhenSynced?: boolean;
  readonly restart?: boolean;
  readonly dir: string;
  readonly spoolMax?: number;
  readonly forks?: number;
}

const TIMEOUT_MS = 60_000;
const SPOOL_MEGABYTES = 10_240;
const ADDRESSES = `
SOURCE and TARGET: host:port or redis://[user[:password]@]host:port, several separated by commas; standalone or cluster
is found out. With --source-master or --target-master they are Sentinels. REDISCLI_AUTH holds the password of both.`;

/** Adds `verify` and `migrate`. */
export function addMoveCommands(root: Command): void {
  addVerify(root);
  const migrate = root
    .command('migrate')
    .description('copy a running deployment into another and keep the copy up to date')
    .helpCommand(false);
  addRun(migrate);
}

function addRun(migrate: Command): void {
  withEnds(
    migrate
      .command('run')
      .description(
        'a snapshot of each master, then its writes, until told to stop; Ctrl-C ends it in order',
      )
      .argument('<source>', 'where the data is')
      .argument('<target>', 'where it goes')
      .addOption(
        new Option('--on-conflict <how>', 'what to do about keys that the target has')
          .choices(['replace', 'skip', 'fail'])
          .default('replace'),
      )
      .option(
        '--remove-extra',
        'empty the target first, so that it ends with the keys of the source only',
      )
      .option('--stop-when-synced', 'end when every write of the source is on the target')
      .option(
        '--dir <folder>',
        'for progress, what waits and what could not be carried out; the next run goes on with it',
        './slotline-migrate',
      )
      .option('--restart', 'forget what an earlier run left in --dir, and begin anew')
      .option(
        '--spool-max <megabytes>',
        'what may wait on disk for each master (default: 10240)',
        wholeNumber,
      )
      .option('--forks <count>', 'masters that make a snapshot at once (default: 1)', atLeastOne),
  ).action((source: string, target: string, flags: RunFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { migrate: run } = await import('../tools/migrate/index.ts');
      const { parseDatabases } = await import('../tools/flow/index.ts');
      return run(
        {
          ...(await ends(source, target, flags)),
          databases: parseDatabases(flags.db),
          conflict: flags.onConflict,
          dir: flags.dir,
          isRestart: flags.restart === true,
          spoolBytesMax: (flags.spoolMax ?? SPOOL_MEGABYTES) * 1024 * 1024,
          forksMax: flags.forks ?? 1,
          removesExtra: flags.removeExtra === true,
          stopsWhenSynced: flags.stopWhenSynced === true,
          signal: endSignal(),
        },
        screen,
      );
    }),
  );
}

function addVerify(root: Command): void {
  withEnds(
    root
      .command('verify')
      .description('prove that two deployments hold the same data, or list what differs')
      .argument('<source>', 'what is right')
      .argument('<target>', 'what should be equal to it')
      .option('--filter <globs...>', 'only keys that match one of these patterns')
      .option('--sample <part>', 'only this part of the keys, such as 0.01', part)
      .option('--rate <keys>', 'look at no more keys of each side a second', wholeNumber)
      .option(
        '--rounds <count>',
        'look again at what differs, so many times (default: 3)',
        atLeastOne,
      )
      .option('--interval <ms>', 'between two rounds (default: 2000)', wholeNumber)
      .option(
        '--ttl-tolerance <ms>',
        'expiry times may differ by this (default: 1000)',
        wholeNumber,
      )
      .addOption(
        new Option('--repair <side>', 'make this side as the other is').choices([
          'source',
          'target',
        ]),
      ),
  ).action((source: string, target: string, flags: VerifyFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { verify } = await import('../tools/verify/index.ts');
      const { parseDatabases } = await import('../tools/flow/index.ts');
      return verify(
        {
          ...(await ends(source, target, flags)),
          databases: parseDatabases(flags.db),
          filters: flags.filter ?? [],
          sample: flags.sample ?? 1,
          rate: flags.rate ?? 0,
          rounds: flags.rounds ?? 3,
          intervalMs: flags.interval ?? 2000,
          toleranceMs: flags.ttlTolerance ?? 1000,
          repair: flags.repair,
          signal: endSignal(),
        },
        screen,
      );
    }),
  );
}

function withEnds(command: Command): Command {
  return command
    .option('--source-master <name>', 'ask the Sentinels at SOURCE for this master')
    .option('--target-master <name>', 'ask the Sentinels at TARGET for this master')
    .option('--db <pairs>', 'databases, source:target, separated by commas (default: all)')
    .option('--timeout <seconds>', 'how long to wait for a reply (default: 60)', wholeNumber)
    .option('--json', 'events as lines of JSON on standard output')
    .addHelpText('after', ADDRESSES);
}

async function ends(source: string, target: string, flags: EndFlags) {
  const { parseSeeds } = await import('../client/index.ts');
  const timeoutMs = flags.timeout === undefined ? TIMEOUT_MS : flags.timeout * 1000;
  const end = (text: string, masterName: string | undefined) => ({
    seeds: parseSeeds([text], process.env),
    masterName,
    timeoutMs,
  });
  return {
    source: end(source, flags.sourceMaster),
    target: end(target, flags.targetMaster),
  };
}

function part(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1))
    throw new InvalidArgumentError('Give a number above 0, at most 1.');
  return value;
}
