/** The line that MONITOR shows of a command. */
import type { UnixMs } from '../base/index.ts';
import type { Session } from '../commands/index.ts';
import { quoteArgument } from '../config/index.ts';
import type { Request } from '../resp/index.ts';

export function monitorLine(session: Session, request: Request, now: UnixMs): string {
  const seconds = Math.floor(now / 1000);
  const micros = String((now % 1000) * 1000).padStart(6, '0');
  let line = `${seconds}.${micros} [${session.dbIndex} ${session.address}]`;
  for (let i = 0; i < request.argc; i++) line += ` ${quoteArgument(request.text(i))}`;
  return line;
}
