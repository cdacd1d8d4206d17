/**
 * Errors of commands that cannot fail while all is well: those of the stream of our master, of a replica of ours, and of
 * the log that is loaded. The data differs from theirs, so the log says so, and the node ends where that is asked for. What a newer
 * master sends and this server does not understand stops the link before it does damage.
 * Source: 7.0 redis.conf, propagation-error-behavior; texts as observed of 7.0.15.
 */
import { quoteArgument } from '../base/index.ts';
import { type LogLevel, type ServerStats, errors } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { ReplicationHistory } from '../replication/index.ts';

/** Who sent the command: our master, a replica of ours, or the log. */
export type Origin = 'master' | 'replica' | 'log';

interface DivergenceHost {
  readonly settings: Pick<Settings, 'propagation-error-behavior' | 'replica-read-only'>;
  readonly stats: Pick<ServerStats, 'unexpectedErrorReplies'>;
  readonly replication: {
    readonly history: ReplicationHistory;
    /** Stops the stream before the command, of which nothing was carried out. */
    refuseCommand(): void;
  };
  log(level: LogLevel, text: string): void;
  halt(): void;
}

const PEERS: Readonly<Record<Origin, readonly [own: string, other: string]>> = {
  master: ['replica', 'master'],
  replica: ['master', 'replica'],
  log: ['server', 'AOF-loading-client'],
};

/** Stands for the name of a command that is not in the table. */
export const UNKNOWN_COMMAND = '<unknown>';

/** Their errors are of a part of them, and other parts may be carried out. */
const COMPOSED_COMMANDS: ReadonlySet<string> = new Set(['exec', 'eval', 'evalsha', 'fcall']);

/** So much of the backlog's end is shown. */
const SHOWN_BYTES = 256;

/** `commandName` has answered with `error`, the last of `count`. */
export function noteDivergence(
  host: DivergenceHost,
  origin: Origin,
  error: string,
  commandName: string,
  count: number,
): void {
  const [own, other] = PEERS[origin];
  host.stats.unexpectedErrorReplies += count;
  // Only the code that stands for none goes; others are shown with the mark of an error.
  const text = error.startsWith('ERR ') ? error.slice(4) : `-${error}`;
  const after = `after processing the command '${commandName}'`;
  host.log(
    'warning',
    `== CRITICAL == This ${own} is sending an error to its ${other}: '${text}' ${after}`,
  );
  if (origin === 'master') showBacklog(host);
  const behavior = host.settings['propagation-error-behavior'];
  const isOurs = origin === 'master' && host.settings['replica-read-only'];
  const mustEnd = isOurs ? behavior !== 'ignore' : origin === 'log' && behavior === 'panic';
  if (!mustEnd) {
    if (isOurs && isNotUnderstood(error, commandName)) host.replication.refuseCommand();
    return;
  }
  host.log('warning', `This ${own} panicked sending an error to its ${other} ${after}`);
  host.halt();
}

/** Whether the error is of a command, or a form of it, that this server does not know, and so changed nothing. */
function isNotUnderstood(error: string, commandName: string): boolean {
  // An old master does not say a script twice. Before a full copy it forgets which ones it has said.
  if (commandName === 'evalsha' && error.startsWith('NOSCRIPT ')) return true;
  if (COMPOSED_COMMANDS.has(commandName)) return false;
  if (commandName === UNKNOWN_COMMAND || commandName === 'function|load') return true;
  return error === errors.ERR_SYNTAX || error === errors.wrongArity(commandName);
}

function showBacklog(host: DivergenceHost): void {
  const { backlog } = host.replication.history;
  if (backlog === undefined || backlog.size === 0) return;
  let bytes = '';
  const end = backlog.firstOffset + backlog.size;
  let at = Math.max(backlog.firstOffset, end - SHOWN_BYTES);
  while (at < end) {
    const piece = backlog.pieceAt(at);
    bytes += piece.toString('latin1');
    at += piece.length;
  }
  host.log('warning', `Latest backlog is: '${quoteArgument(bytes)}'`);
}
