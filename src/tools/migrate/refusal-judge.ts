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

/** A command, or a form of one, that the target does not know: all that come after it might need what it did. */
const NOT_KNOWN =
  /^ERR (unknown command|unknown subcommand|syntax error|wrong number of arguments|Unsupported option)/i;
/** What a payload of a module's value begins with. */
const TYPE_MODULE = 7;

const ERR_NO_LIBRARY = 'ERR Library not found';
const ALREADY_EXISTS = /^ERR ((?:Library|Function) .* already exists)/;

export class RefusalJudge {
  /** Keys that were on the target already and left alone. */
  skippedKeys = 0;
  readonly #conflict: Conflict;
  readonly #quarantine: Pick<Quarantine, 'add'>;
  readonly #note: (line: string) => void;
  /** What was said of libraries of functions: every node of the target says it. */
  readonly #noted: Set<string> = new Set();

  constructor(
    conflict: Conflict,
    quarantine: Pick<Quarantine, 'add'>,
    note: (line: string) => void,
  ) {
    this.#conflict = conflict;
    this.#quarantine = quarantine;
    this.#note = note;
  }

  /** An answer is a reason to end. `isOvertaken`: what it was about will be copied anew. */
  refused({ args, db, reason }: Refusal, isOvertaken: boolean = false): ToolError | undefined {
    const [code = ''] = reason.split(' ', 1);
    if (FATAL_CODES.has(code)) {
      return new ToolError('NODE_FAILED', `The target answered: ${reason}`);
    }
    if (isOvertaken || this.#isOfLibrary(args, reason)) return undefined;
    if (NOT_KNOWN.test(reason) && !isWithoutData(args)) return notKnown(args, reason);
    if (code === 'BUSYKEY' && this.#conflict === 'skip') {
      this.skippedKeys++;
    } else if (code === 'BUSYKEY') {
      const key = JSON.stringify(args[1]?.toString() ?? '');
      const message = `Cannot copy key ${key}: the target has it; see --on-conflict`;
      return new ToolError('NODES_REFUSED', message);
    } else {
      this.#quarantine.add(args, db, ofModule(args) ?? reason);
    }
    return undefined;
  }

  /** Whether a library of functions stays as the target has it: another master has deleted it, or nothing is replaced. */
  #isOfLibrary(args: readonly Buffer[], reason: string): boolean {
    const [name, subcommand] = args.map((arg) => arg.toString('latin1').toLowerCase());
    if (name !== 'function') return false;
    if (subcommand === 'delete') return reason === ERR_NO_LIBRARY;
    const exists = ALREADY_EXISTS.exec(reason);
    if (subcommand !== 'load' || exists === null || this.#conflict === 'replace') return false;
    const line = `the target keeps what it has: ${exists[1] ?? ''}`;
    if (!this.#noted.has(line)) this.#note(line);
    this.#noted.add(line);
    return true;
  }
}

/** Commands that no later one needs. */
const WITHOUT_DATA: ReadonlySet<string> = new Set(['function', 'script', 'publish', 'spublish']);

function isWithoutData([name]: readonly Buffer[]): boolean {
  return WITHOUT_DATA.has(name?.toString('latin1').toLowerCase() ?? '');
}

function notKnown([name, first]: readonly Buffer[], reason: string): ToolError {
  const command = name?.toString('latin1').toUpperCase() ?? '';
  const about = first === undefined ? '' : ` (of ${JSON.stringify(first.toString().slice(0, 80))})`;
  const [shown = ''] = reason.split(', with args', 1);
  return new ToolError(
    'NODES_REFUSED',
    `The target does not know ${command}${about} as the source sent it: ${shown}; ` +
      `--exclude-commands ${command.toLowerCase()} goes on without`,
  );
}

/** Why a value of a module was refused. */
function ofModule([name, key, , payload]: readonly Buffer[]): string | undefined {
  const isRestore = name?.toString('latin1').toLowerCase() === 'restore';
  if (!isRestore || payload?.[0] !== TYPE_MODULE) return undefined;
  return `${JSON.stringify(key?.toString() ?? '')} is a value of a module that the target does not have`;
}
