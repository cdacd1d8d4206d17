/** `slotline verify`: its arguments. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type EndFlags, ends, withEnds } from './move-flags.ts';
import { fullCheckArguments, fullCheckCommand, isFullCheckCall } from './full-check-command.ts';
import { atLeastOne, runTool, wholeNumber } from './run-tool.ts';
import { endSignals } from '../tools/index.ts';

interface VerifyFlags extends EndFlags {
  readonly filter?: readonly string[];
  readonly sample?: number;
  readonly rate?: number;
  readonly rounds?: number;
  readonly interval?: number;
  readonly ttlTolerance?: number;
  readonly repair?: 'source' | 'target';
  readonly typesOnly?: boolean;
  readonly report?: readonly string[];
  /** True without a number. */
  readonly watch?: number | true;
}

/** Adds `verify`. */
export function addVerifyCommand(root: Command): void {
  const args = process.argv.slice(process.argv.indexOf('verify') + 1);
  if (process.argv[2] === 'verify' && isFullCheckCall(args)) {
    process.argv.splice(3, args.length, ...fullCheckArguments(args));
    root.addCommand(fullCheckCommand().copyInheritedSettings(root));
    return;
  }
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
      .option('--types-only', 'only whether keys are there, and of what type')
      .option(
        '--report <files...>',
        'write what is found; the ending says how: .md, .html, .ndjson, .sqlite (Node 22.5)',
      )
      .option(
        '--watch [times]',
        'compare again and again, --interval apart, and show what comes and goes; until Ctrl-C, or so many times',
        atLeastOne,
      )
      .addOption(
        new Option('--repair <side>', 'make this side as the other is').choices([
          'source',
          'target',
        ]),
      ),
  ).action((source: string, target: string, flags: VerifyFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { resultFile, verify } = await import('../tools/verify/index.ts');
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
          depth: flags.typesOnly === true ? 'types' : 'values',
          repair: flags.repair,
          files: (flags.report ?? []).map(resultFile),
          comparisons: flags.watch === true ? Number.POSITIVE_INFINITY : flags.watch,
          signal: endSignals().signal,
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
