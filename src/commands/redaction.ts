/** Which arguments of a request are secrets, that the slow log and MONITOR must not show. */
import { findDirective } from '../config/index.ts';
import type { Request } from '../resp/index.ts';
import type { Command } from './table.ts';

/** Argument indexes; undefined when there is nothing to hide. */
export type Redacted = ReadonlySet<number> | undefined;

/** The arguments of a request that logs show as `(redacted)`. */
export function redactedArguments(command: Command, request: Request): Redacted {
  switch (command.fullName) {
    case 'auth':
      return range(1, request.argc);
    case 'acl|setuser':
      return range(2, request.argc);
    case 'acl|deluser':
      return range(2, request.argc);
    case 'acl|getuser':
      return range(2, request.argc);
    case 'hello':
      return behindWord(request, 'auth', 2, 2);
    case 'migrate':
      return migrateSecrets(request);
    case 'config|set':
      return sensitiveValues(request);
    default:
      return undefined;
  }
}

function range(from: number, to: number): Redacted {
  const found = new Set<number>();
  for (let i = from; i < to; i++) found.add(i);
  return found;
}

function behindWord(request: Request, word: string, from: number, count: number): Redacted {
  for (let i = from; i < request.argc; i++) {
    if (request.is(i, word)) return range(i + 1, Math.min(i + 1 + count, request.argc));
  }
  return undefined;
}

function migrateSecrets(request: Request): Redacted {
  return behindWord(request, 'auth2', 6, 2) ?? behindWord(request, 'auth', 6, 1);
}

function sensitiveValues(request: Request): Redacted {
  const found = new Set<number>();
  for (let i = 2; i + 1 < request.argc; i += 2) {
    if (findDirective(request.text(i))?.spec.isSensitive === true) found.add(i + 1);
  }
  return found.size === 0 ? undefined : found;
}
