/** The log of a node: lines in Redis's form, to standard output or appended to a file. */
import { appendFileSync } from 'node:fs';
import type { LogLevel } from '../commands/index.ts';
import { attempt } from './system-words.ts';

const LEVELS: readonly LogLevel[] = ['debug', 'verbose', 'notice', 'warning'];
const MARKS: Readonly<Record<LogLevel, string>> = {
  debug: '.',
  verbose: '-',
  notice: '*',
  warning: '#',
};
const MONTHS: readonly string[] = [
  'Jan',
  'Feb',
  'Mar',
  'Apr',
  'May',
  'Jun',
  'Jul',
  'Aug',
  'Sep',
  'Oct',
  'Nov',
  'Dec',
];

export interface LogOptions {
  /** Least level that is written. */
  readonly level: () => LogLevel;
  /** Path; empty for standard output. */
  readonly file: string;
  /** `M` master, `S` replica, `X` Sentinel. */
  readonly role: () => string;
}

export type LogWriter = (level: LogLevel, text: string) => void;

/**
 * Lines are written when the event that they tell of is dealt with, or the process exits: a failover tells a dozen
 * things at once, while other nodes wait for what comes after them. The file is opened each time, so that it can be
 * moved away under a running server.
 */
export function logWriter(options: LogOptions): LogWriter {
  let waiting = '';
  let failure: string | undefined;
  const write = (): void => {
    const lines = waiting;
    waiting = '';
    if (lines === '') return;
    const before = failure;
    failure = put(options.file, lines);
    // Once for each time that the log is out of reach.
    if (failure !== undefined && before === undefined) {
      process.stderr.write(`Can't write the log file: ${failure}\n`);
    }
  };
  // Nobody may be reading any more; a server goes on all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  process.on('exit', write);
  return (level, text) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level())) return;
    if (waiting === '') setImmediate(write);
    waiting += `${process.pid}:${options.role()} ${timestamp(new Date())} ${MARKS[level]} ${text}\n`;
  };
}

/** Writes lines, which are lost where that fails, as on a full disk: the server is worth more than its log. */
function put(file: string, lines: string): string | undefined {
  if (file !== '') return attempt(() => appendFileSync(file, lines));
  process.stdout.write(lines);
  return undefined;
}

function timestamp(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  const day = `${two(at.getDate())} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}
