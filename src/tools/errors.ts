/** How a tool ends: the exit statuses, and the error that carries one. */
import { ClientError } from '../client/index.ts';
import { ReplyError } from '../resp/index.ts';

/** 0 done and true, 1 done and found problems, 2 wrong usage, 3 could not finish. */
export type ExitStatus = 0 | 1 | 2 | 3;

export type ToolErrorCode =
  /** The arguments cannot be meant. */
  | 'USAGE'
  /** The nodes are in a state the tool refuses to work on. */
  | 'NODES_REFUSED'
  /** A node did not answer or answered with an error. */
  | 'NODE_FAILED'
  /** Something did not come true in its bounded time. */
  | 'NOT_IN_TIME'
  /** The user said no. */
  | 'DECLINED'
  /** A signal asked to stop; what was begun can be gone on with. */
  | 'INTERRUPTED'
  /** Another operator works on the cluster. */
  | 'LOCKED'
  /** Something on this machine is in the way: a port, a file, a running launcher. */
  | 'LOCAL';

const STATUS_OF: Readonly<Record<ToolErrorCode, ExitStatus>> = {
  USAGE: 2,
  NODES_REFUSED: 3,
  NODE_FAILED: 3,
  NOT_IN_TIME: 3,
  DECLINED: 3,
  INTERRUPTED: 3,
  LOCKED: 3,
  LOCAL: 1,
};

/** One line that says what failed, the state found and what to do next. */
export class ToolError extends Error {
  override readonly name: string = 'ToolError';
  readonly code: ToolErrorCode;
  readonly status: ExitStatus;

  constructor(code: ToolErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = STATUS_OF[code];
  }
}

/** Failures of connections and of commands as one line; anything else is our own bug and stays as it is. */
export function asToolError(error: unknown, name?: string): unknown {
  if (error instanceof ClientError) {
    const code = error.code === 'BAD_ADDRESS' ? 'USAGE' : 'NODE_FAILED';
    return new ToolError(code, error.message + hint(error.message), error);
  }
  if (!(error instanceof ReplyError)) return error;
  const where = name === undefined ? 'A node' : `Node ${name}`;
  return new ToolError(
    'NODE_FAILED',
    `${where} answered: ${error.message}${hint(error.message)}`,
    error,
  );
}

/** What to do about a refused login. */
function hint(message: string): string {
  if (/NOAUTH|WRONGPASS|AUTH <password>/.test(message)) {
    return ' (set REDISCLI_AUTH or write redis://user:password@host:port)';
  }
  return '';
}
