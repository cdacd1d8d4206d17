/** What to do about a command that the target refused. */
import { ToolError } from '../errors.ts';
import type { Refusal } from './batch-replies.ts';
import type { Quarantine } from './quarantine.ts';
import type { Conflict } from './snapshot-writer.ts';

/** Errors after which nothing else will go better. */
const FATAL_CODES: ReadonlySet<string> = new Set([
  'OOM',
  'READONLY',
  'NOPERM',
  'NOAUTH',
  'MISCONF',
]);

export class RefusalJudge {
  /** Keys that were on the target already and left alone. */
  skippedKeys = 0;
  readonly #conflict: Conflict;
  readonly #quarantine: Pick<Quarantine, 'add'>;

  constructor(conflict: Conflict, quarantine: Pick<Quarantine, 'add'>) {
    this.#conflict = conflict;
    this.#quarantine = quarantine;
  }

  /** An answer is a reason to end. `isOvertaken`: what it was about will be copied anew. */
  refused({ args, db, reason }: Refusal, isOvertaken: boolean = false): ToolError | undefined {
    const [code = ''] = reason.split(' ', 1);
    if (FATAL_CODES.has(code)) {
      return new ToolError('NODE_FAILED', `The target answered: ${reason}`);
    }
    if (isOvertaken) return undefined;
    if (code === 'BUSYKEY' && this.#conflict === 'skip') {
      this.skippedKeys++;
    } else if (code === 'BUSYKEY') {
      const key = JSON.stringify(args[1]?.toString() ?? '');
      const message = `Cannot copy key ${key}: the target has it; see --on-conflict`;
      return new ToolError('NODES_REFUSED', message);
    } else {
      this.#quarantine.add(args, db, reason);
    }
    return undefined;
  }
}
