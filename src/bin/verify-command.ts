/** `slotline verify`: its arguments. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type EndFlags, ends, withEnds } from './move-flags.ts';
import { atLeastOne, endSignal, runTool, wholeNumber } from './run-tool.ts';

interface VerifyFlags extends EndFlags {
  readonly filter?: readonly string[];
  readonly sample?: number;
  readonly rate?: number;
  readonly rounds?: number;
  readonly interval?: number;
  readonly ttlTolerance?: number;
  readonly repair?: 'source' | 'target';
}

/** Adds `verify`. */
export function addVerifyCommand(root: Command): void {
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

function part(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1))
    throw new InvalidArgumentError('Give a number above 0, at most 1.');
  return value;
}
