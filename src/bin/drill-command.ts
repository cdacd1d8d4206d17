/** `slotline drill`: its arguments. */
import { type Command, Option } from 'commander';
import type { DrillKind } from '../tools/drill/index.ts';
import { seeds, timeoutOf, withShared } from './cluster-flags.ts';
import type { SharedFlags } from './cluster-flags.ts';
import { atLeastOne, runTool, wholeNumber } from './run-tool.ts';

interface DrillFlags extends SharedFlags {
  readonly kind: DrillKind;
  readonly masterName?: string;
  readonly killCommand?: string;
  readonly pauseCommand?: string;
  readonly restoreCommand?: string;
  readonly pause?: number;
  readonly rounds: number;
  readonly shard?: string;
  readonly writers: number;
  readonly rate: number;
  readonly clientTimeout: number;
  readonly interval: number;
  readonly html?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

const KINDS: readonly DrillKind[] = ['manual', 'coordinated', 'force', 'takeover', 'kill', 'pause'];
const TIMEOUT_MS = 60_000;

/** Adds `drill`. */
export function addDrillCommand(root: Command): void {
  withShared(
    root
      .command('drill')
      .description('fail over under load and tell what it cost: time without writes, lost writes')
      .argument('[nodes...]', 'any node of a cluster, or a Sentinel; several are tried in order')
      .addOption(
        new Option('--kind <kind>', 'what is done to a master').choices(KINDS).default('manual'),
      )
      .option('--kill-command <command>', 'for kill: ends {host}, {port}, {id}, {pid}')
      .option('--pause-command <command>', 'for pause: stops it (default: DEBUG SLEEP)')
      .option('--restore-command <command>', 'brings back what was killed or paused')
      .option('--pause <ms>', 'how long a pause lasts (default: until a failover)', wholeNumber)
      .option('--rounds <count>', 'how often; shards take turns', atLeastOne, 3)
      .option('--shard <node>', 'always the shard of this node: its id or host:port')
      .option('--master-name <name>', 'the master, where Sentinels watch several')
      .option('--writers <count>', 'clients of the shard that is struck', atLeastOne, 4)
      .option('--rate <writes>', 'their writes a second together; 0: no bound', wholeNumber, 1000)
      .option('--client-timeout <ms>', 'what a client waits for a reply', atLeastOne, 1000)
      .option('--interval <ms>', 'between two rounds', wholeNumber, 1000)
      .option('--html <file>', 'the report as a page too')
      .option('-y, --yes', 'do not ask')
      .option('--dry-run', 'show what would be done and change nothing'),
  ).action((nodes: string[], flags: DrillFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { drill } = await import('../tools/drill/index.ts');
      return drill(
        {
          seeds: await seeds(nodes),
          masterName: flags.masterName,
          kind: flags.kind,
          killCommand: flags.killCommand,
          pauseCommand: flags.pauseCommand,
          restoreCommand: flags.restoreCommand,
          pauseMs: flags.pause,
          rounds: flags.rounds,
          shard: flags.shard,
          writers: flags.writers,
          writesPerSecond: flags.rate,
          clientTimeoutMs: flags.clientTimeout,
          intervalMs: flags.interval,
          timeoutMs: timeoutOf(flags, TIMEOUT_MS),
          htmlFile: flags.html,
          isConfirmed: flags.yes === true,
          isDryRun: flags.dryRun === true,
        },
        screen,
      );
    }),
  );
}
