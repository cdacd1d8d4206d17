/** `slotline sentinel …`: the arguments of the Sentinel tools. */
import type { Command } from 'commander';
import { type SharedFlags, seeds, timeoutOf, withJson, withShared } from './cluster-flags.ts';
import { runTool } from './run-tool.ts';

interface FailoverFlags extends SharedFlags {
  readonly name?: string;
  readonly coordinated?: boolean;
}

/** Adds `sentinel` and its subcommands. */
export function addSentinelCommands(root: Command): void {
  const sentinel = root
    .command('sentinel')
    .description('look after masters that Sentinels watch, ours and real ones')
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Addresses of Sentinels: host:26379, redis://[user[:password]@]host:26379, rediss:// for TLS. REDISCLI_AUTH holds the
password, REDIS_URL the Sentinel to ask when none is named. To run a Sentinel: slotline-sentinel sentinel.conf.`,
    );
  withJson(
    sentinel
      .command('check')
      .description('show whether the Sentinels agree and could fail over; status 1 when not')
      .argument('[sentinels...]', 'any Sentinel; several are tried in order'),
  ).action((addresses: string[], flags: SharedFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { checkSentinels } = await import('../tools/sentinel/index.ts');
      return checkSentinels(await seeds(addresses), screen);
    }),
  );
  withJson(
    sentinel
      .command('masters')
      .description('show the masters that a Sentinel watches; status 1 when one is not up')
      .argument('[sentinels...]', 'any Sentinel; several are tried in order'),
  ).action((addresses: string[], flags: SharedFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { showMasters } = await import('../tools/sentinel/index.ts');
      return showMasters(await seeds(addresses), screen);
    }),
  );
  addFailover(sentinel);
}

function addFailover(sentinel: Command): void {
  withShared(
    sentinel
      .command('failover')
      .description("have a replica take the master's place, and wait until it has")
      .argument('[sentinels...]', 'any Sentinel; several are tried in order')
      .option('--name <master>', 'which master (default: the only one that it watches)')
      .option('--coordinated', 'the master hands over, so that no acknowledged write is lost'),
  ).action((addresses: string[], flags: FailoverFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { FAILOVER_TIMEOUT_MS, failOver } = await import('../tools/sentinel/index.ts');
      const request = {
        seeds: await seeds(addresses),
        name: flags.name,
        isCoordinated: flags.coordinated === true,
        timeoutMs: timeoutOf(flags, FAILOVER_TIMEOUT_MS),
      };
      return failOver(request, screen);
    }),
  );
}
