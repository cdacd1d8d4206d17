/** The log of a node: lines in Redis's form, to standard output or appended to a file. */
import { appendFileSync } from 'node:fs';
import type { LogLevel } from '../commands/index.ts';

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
  const write = (): void => {
    const lines = waiting;
    waiting = '';
    if (lines === '') return;
    if (options.file === '') process.stdout.write(lines);
    else appendFileSync(options.file, lines);
  };
  process.on('exit', write);
  return (level, text) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level())) return;
    if (waiting === '') setImmediate(write);
    waiting += `${process.pid}:${options.role()} ${timestamp(new Date())} ${MARKS[level]} ${text}\n`;
  };
}

function timestamp(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  const day = `${two(at.getDate())} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}
