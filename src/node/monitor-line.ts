/** The line that MONITOR shows of a command. */
import { quoteArgument } from '../base/index.ts';
import { type Command, type Context, type Session, redactedArguments } from '../commands/index.ts';
import type { Request } from '../resp/index.ts';

export interface ShownCall {
  readonly command: Command<Context>;
  readonly request: Request;
}

/** `unixUs` is now, in whole microseconds. The database shown is the one selected when the command has run, as in 7.0. */
export function monitorLine(session: Session, call: ShownCall, unixUs: number): string {
  const { command, request } = call;
  const seconds = Math.floor(unixUs / 1_000_000);
  const micros = String(unixUs % 1_000_000).padStart(6, '0');
  const hidden = redactedArguments(command, request);
  const who = session.role === 'script' ? 'lua' : session.address;
  let line = `${seconds}.${micros} [${session.dbIndex} ${who}]`;
  for (let i = 0; i < request.argc; i++) {
    line += hidden?.has(i) === true ? ' "(redacted)"' : ` ${quoteArgument(request.text(i))}`;
  }
  return line;
}
