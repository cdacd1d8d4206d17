/** `slotline verify` with RedisFullCheck's options, for scripts that were written for it. */
import { Command, InvalidArgumentError } from 'commander';
import type { FullCheckFlags } from '../tools/verify/index.ts';
import { atLeastOne, runTool, wholeNumber } from './run-tool.ts';
import { endSignals } from '../tools/index.ts';

/** What RedisFullCheck takes and has no meaning here, with its letter of a value if it has one. */
const MEANINGLESS: readonly string[] = [
  '--id <text>',
  '--jobid <text>',
  '--taskid <text>',
  '--sourceauthtype <type>',
  '--targetauthtype <type>',
  '--loglevel <level>',
  '--metric',
  '--systemprofile <port>',
  '--bigkeythreshold <count>',
];

interface Flags extends Omit<FullCheckFlags, 'meaningless'> {
  readonly log?: string;
}

/** Whether the arguments behind `verify` are RedisFullCheck's: it names both ends by options. */
export function isFullCheckCall(args: readonly string[]): boolean {
  return args.some((arg) => /^(?:-s|-t|--source(?:=|$)|--target(?:=|$))/.test(arg));
}

/** The command that reads them. */
export function fullCheckCommand(): Command {
  const command = new Command('verify')
    .description("RedisFullCheck's options; `slotline verify --help` tells of our own")
    .requiredOption('-s, --source <addresses>', 'nodes of the source, separated by semicolons')
    .requiredOption('-t, --target <addresses>', 'nodes of the target')
    .option('-p, --sourcepassword <password>', 'password, or user:password')
    .option('-a, --targetpassword <password>', 'password, or user:password')
    .option('--sourcedbtype <number>', '0 one server, 1 cluster; is found out', wholeNumber, 0)
    .option('--targetdbtype <number>', 'the same of the target', wholeNumber, 0)
    .option('--sourcedbfilterlist <numbers>', 'databases, separated by semicolons', '-1')
    .option('--targetdbfilterlist <numbers>', 'databases, separated by semicolons', '-1')
    .option('-d, --db <file>', 'SQLite file for what differs; the round is put behind its name')
    .option('--result <file>', 'file for lines of database, conflict, key and field')
    .option('--comparetimes <count>', 'rounds', atLeastOne, 3)
    .option('-m, --comparemode <mode>', '1, 2 and 4 values and expiry, 3 keys and types', mode)
    .option('--interval <seconds>', 'between two rounds', wholeNumber, 5)
    .option('-q, --qps <count>', 'batches a second of each worker', atLeastOne)
    .option('--batchcount <count>', 'counts for --qps only', atLeastOne, 256)
    .option('--parallel <count>', 'counts for --qps only', atLeastOne, 5)
    .option('-f, --filterlist <names>', 'keys, separated by bars, such as abc*|efg', '')
    .option('--log <file>', 'file for what is said on the way');
  for (const option of MEANINGLESS) command.option(option, 'is ignored');
  return command.action((flags: Flags) => run(flags, meaninglessOf(command)));
}

/** `-s=x` is written as `-s x` here. */
export function fullCheckArguments(args: readonly string[]): readonly string[] {
  return args.flatMap((arg) => {
    const match = /^(-[a-z])=(.*)$/.exec(arg);
    return match === null ? [arg] : [match[1] ?? '', match[2] ?? ''];
  });
}

function run(flags: Flags, meaningless: readonly string[]): Promise<void> {
  return runTool(false, async (terminal) => {
    const { fullCheckWish, hasSqlite, verify } = await import('../tools/verify/index.ts');
    const { loggingScreen } = await import('../tools/index.ts');
    const screen = flags.log === undefined ? terminal : loggingScreen(terminal, flags.log);
    const wish = fullCheckWish({ ...flags, meaningless }, await hasSqlite());
    for (const remark of wish.remarks) screen.note(remark);
    return verify({ ...wish.options, signal: endSignals().signal }, screen);
  });
}

function meaninglessOf(command: Command): readonly string[] {
  return MEANINGLESS.map((option) => option.split(' ')[0] ?? '').filter(
    (name) => command.getOptionValueSource(name.slice(2)) === 'cli',
  );
}

function mode(text: string): number {
  const value = wholeNumber(text);
  if (value < 1 || value > 4) throw new InvalidArgumentError('Give a mode from 1 to 4.');
  return value;
}
