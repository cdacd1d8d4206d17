/** `slotline migrate`: its arguments. */
import { type Command, Option } from 'commander';
import { type EndFlags, ends, withEnds } from './move-flags.ts';
import { atLeastOne, endSignal, runTool, wholeNumber } from './run-tool.ts';

interface RunFlags extends EndFlags {
  readonly onConflict: 'replace' | 'skip' | 'fail';
  readonly removeExtra?: boolean;
  readonly stopWhenSynced?: boolean;
  readonly restart?: boolean;
  readonly dir: string;
  readonly spoolMax?: number;
  readonly forks?: number;
  readonly rate?: number;
}

interface CutoverFlags extends EndFlags {
  readonly dir: string;
  readonly pause: boolean;
  readonly leavePaused?: boolean;
  readonly wayBack?: boolean;
  readonly lagMax?: number;
}

interface DirFlags {
  readonly dir: string;
  readonly json?: boolean;
}

const SPOOL_MEGABYTES = 10_240;
const MEGABYTE: number = 1024 * 1024;
const DIR = './slotline-migrate';
const LAG_SECONDS = 60;

/** Adds `migrate`. */
export function addMigrateCommands(root: Command): void {
  const migrate = root
    .command('migrate')
    .description('copy a running deployment into another and keep the copy up to date')
    .helpCommand(false);
  addPlan(migrate);
  addRun(migrate);
  addOrders(migrate);
  addCutover(migrate);
}

function addPlan(migrate: Command): void {
  withEnds(
    migrate
      .command('plan')
      .description('what would stand in the way, found without changing anything')
      .argument('<source>', 'where the data is')
      .argument('<target>', 'where it goes'),
  ).action((source: string, target: string, flags: EndFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { plan } = await import('../tools/migrate/index.ts');
      return plan(await ends(source, target, flags), screen);
    }),
  );
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
          spoolBytesMax: (flags.spoolMax ?? SPOOL_MEGABYTES) * MEGABYTE,
          forksMax: flags.forks ?? 1,
          removesExtra: flags.removeExtra === true,
          stopsWhenSynced: flags.stopWhenSynced === true,
          rateBytes: bytesOf(flags.rate),
          signal: endSignal(),
        },
        screen,
      );
    }),
  );
}

function addOrders(migrate: Command): void {
  const withDir = (name: string, description: string): Command =>
    migrate
      .command(name)
      .description(description)
      .option('--dir <folder>', 'of the run', DIR)
      .option('--json', 'as JSON');
  withDir('status', 'where each master is, phase, part and lag').action((flags: DirFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { showStatus } = await import('../tools/migrate/index.ts');
      return showStatus(flags.dir, screen);
    }),
  );
  const orders = [
    ['pause', 'carry out nothing; what the source sends waits on disk', { isPaused: true }],
    ['resume', 'go on after a pause', { isPaused: false }],
  ] as const;
  for (const [name, description, change] of orders) {
    withDir(name, description).action((flags: DirFlags) =>
      runTool(flags.json === true, async (screen) => {
        const { order } = await import('../tools/migrate/index.ts');
        return order(flags.dir, change, screen);
      }),
    );
  }
  withDir('throttle', 'bound the rate of a run while it goes on')
    .argument('<megabytes>', 'of each master a second; 0 for no bound', wholeNumber)
    .action((megabytes: number, flags: DirFlags) =>
      runTool(flags.json === true, async (screen) => {
        const { order } = await import('../tools/migrate/index.ts');
        return order(flags.dir, { rateBytes: megabytes * MEGABYTE }, screen);
      }),
    );
}

function addCutover(migrate: Command): void {
  withEnds(
    migrate
      .command('cutover')
      .description('hold writes to the source, let the run catch up, compare, and say go or no-go')
      .argument('<source>', 'as the run has it')
      .argument('<target>', 'as the run has it')
      .option('--dir <folder>', 'of the run', DIR)
      .option('--no-pause', 'the source is still by itself: do not hold its writes')
      .option('--leave-paused', 'after a go, leave writes to the source held (30 s)')
      .option('--way-back', 'make ready for a run from the target to the source without a copy')
      .option(
        '--lag-max <seconds>',
        'how long the run may take to catch up (default: 60)',
        atLeastOne,
      ),
  ).action((source: string, target: string, flags: CutoverFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { cutover } = await import('../tools/migrate/index.ts');
      const { parseDatabases } = await import('../tools/flow/index.ts');
      return cutover(
        {
          ...(await ends(source, target, flags)),
          databases: parseDatabases(flags.db),
          dir: flags.dir,
          holdsWrites: flags.pause,
          staysHeld: flags.leavePaused === true,
          hasWayBack: flags.wayBack === true,
          lagMsMax: (flags.lagMax ?? LAG_SECONDS) * 1000,
          signal: endSignal(),
        },
        screen,
      );
    }),
  );
}

function bytesOf(megabytes: number | undefined): number | undefined {
  return megabytes === undefined ? undefined : megabytes * MEGABYTE;
}
