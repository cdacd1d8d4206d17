/**
 * The arguments of redis-server and redis-sentinel: `[config-file | -] [--directive value ...] [--sentinel]`, turned
 * into the configuration text that they stand for. Source: usage text and behaviour of redis-server 7.0.15.
 */
import { quoteArgument, splitArguments } from '../base/index.ts';

export interface CommandLine {
  /** Path of the configuration file as given; undefined when none was. */
  readonly configFile: string | undefined;
  /** Whether configuration text comes from standard input (`-`). */
  readonly readsStdin: boolean;
  /** The options as configuration text, one directive a line; it follows the file's text and wins over it. */
  readonly optionsText: string;
  readonly isSentinel: boolean;
}

/** `argv` without interpreter and program. What is wrong in it shows when the text is loaded. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const first = argv[0];
  const hasFile = first !== undefined && !first.startsWith('-');
  const options = hasFile ? argv.slice(1) : argv;
  const readsStdin = options[0] === '-' || (!hasFile && first === '-');
  const rest = readsStdin ? options.slice(1) : options;
  return {
    configFile: hasFile ? first : undefined,
    readsStdin,
    optionsText: optionsText(rest),
    isSentinel: argv.includes('--sentinel'),
  };
}

/**
 * The text of a whole configuration. The blank line between file and options keeps the line numbers of error
 * messages equal to those of redis-server.
 */
export function joinConfigText(fileText: string, options: string): string {
  return options === '' ? fileText : `${fileText}\n${options}`;
}

function optionsText(args: readonly string[]): string {
  let text = '';
  // A word that starts with `--` is a directive, unless it stands where the first value of one is due.
  let isValueDue = false;
  args.forEach((arg, index) => {
    if (isValueDue || !arg.startsWith('--')) {
      text += `${quoteArgument(arg)} `;
      isValueDue = false;
      return;
    }
    if (text !== '') text += '\n';
    text += `${arg.slice(2)} `;
    // `--port 7000` in one argument brings its value along.
    isValueDue = splitArguments(arg)?.length === 1;
    const next = args[index + 1];
    const isAlone = next === undefined || next.startsWith('--');
    const name = arg.toLowerCase();
    if (isAlone && (name === '--save' || name === '--sentinel')) {
      if (name === '--save') text += '""';
      isValueDue = false;
    }
  });
  return text;
}
