/** `slotline migrate`: its arguments. */
import type { Command } from 'commander';
import { type EndFlags, ends, withEnds } from './move-flags.ts';
import { DIR, MEGABYTE, addRun, withLongNames } from './migrate-run-command.ts';
import { atLeastOne, runTool, wholeNumber } from './run-tool.ts';
import { endSignals } from '../tools/index.ts';

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

const LAG_SECONDS = 60;

/** Adds `migrate`. */
export function addMigrateCommands(root: Command): void {
  if (process.argv[2] === 'migrate') process.argv = withLongNames(process.argv);
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
          signal: endSignals().signal,
        },
        screen,
      );
    }),
  );
}
