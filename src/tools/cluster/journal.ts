/**
 * The journal of a run: its plan, then one line for each step that is done, on disk before the next begins. It stays
 * when the tool dies, and the next run for that cluster goes on with it.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  readdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ToolError } from '../errors.ts';
import { type Plan, parsePlan } from './plan.ts';

const NAME = /^slotline-[0-9a-f]{8}-\d+\.journal$/;

/** A journal as it lies there. */
export interface JournalState {
  readonly path: string;
  readonly plan: Plan;
  /** Steps at the start of the plan that are done. */
  readonly done: number;
}

export class Journal {
  readonly path: string;
  readonly plan: Plan;
  /** Steps at the start of the plan that are done. */
  #done: number;
  #file: number;

  private constructor(path: string, plan: Plan, parts: { done: number; file: number }) {
    this.path = path;
    this.plan = plan;
    this.#done = parts.done;
    this.#file = parts.file;
  }

  /** Begins a journal in `folder`. Throws ToolError `LOCAL`. */
  static begin(folder: string, plan: Plan): Journal {
    const cluster = [...plan.members].sort()[0] ?? '';
    const path = join(folder, `slotline-${cluster.slice(0, 8)}-${process.pid}.journal`);
    try {
      const journal = new Journal(path, plan, { done: 0, file: openSync(path, 'wx') });
      journal.#write(plan);
      return journal;
    } catch (error) {
      throw localError(`Cannot begin the journal "${path}"`, error);
    }
  }

  /** The journal in `folder` that an earlier run for a cluster of `members` left. Throws ToolError. */
  static find(folder: string, members: readonly string[]): Journal | undefined {
    for (const path of journalsIn(folder)) {
      const [head = '', ...lines] = readFileSync(path, 'utf8').split('\n');
      // Killed before the plan was whole, it had not begun.
      if (lines.length === 0) {
        unlinkSync(path);
        continue;
      }
      const plan = parsePlan(head, path);
      if (!nodesOfPlan(plan).some((id) => members.includes(id))) continue;
      return new Journal(path, plan, { done: doneIn(lines), file: openSync(path, 'a') });
    }
    return undefined;
  }

  /** What stands in the journals of `folder` for a cluster of `members`, for who only looks. Throws ToolError. */
  static peek(folder: string, members: readonly string[]): JournalState[] {
    return journalsIn(folder).flatMap((path) => {
      // Its run may end at this very moment.
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      const [head = '', ...lines] = text.split('\n');
      if (lines.length === 0) return [];
      const plan = parsePlan(head, path);
      if (!plan.members.some((id) => members.includes(id))) return [];
      return [{ path, plan, done: doneIn(lines) }];
    });
  }

  get done(): number {
    return this.#done;
  }

  /** One more step is done. */
  stepDone(): void {
    this.#done++;
    this.#writeText(DONE_LINE);
  }

  /** The run is complete: nothing to go on with. */
  end(): void {
    this.leave();
    unlinkSync(this.path);
  }

  /** Closes the file and leaves it for the next run. */
  leave(): void {
    if (this.#file < 0) return;
    closeSync(this.#file);
    this.#file = -1;
  }

  #write(plan: Plan): void {
    this.#writeText(JSON.stringify(plan));
  }

  #writeText(line: string): void {
    writeSync(this.#file, `${line}\n`);
    fsyncSync(this.#file);
  }
}

const DONE_LINE = 'done';

/** Paths in the order of their names. Throws ToolError `LOCAL`. */
function journalsIn(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => NAME.test(name));
    return names.sort().map((name) => join(folder, name));
  } catch (error) {
    throw localError(`Cannot read the folder of the journal "${folder}"`, error);
  }
}

function doneIn(lines: readonly string[]): number {
  return lines.filter((line) => line === DONE_LINE).length;
}

/** Those it was made for, and those that join: at its end they may be the only ones left. */
function nodesOfPlan({ members, steps }: Plan): string[] {
  return [...members, ...steps.flatMap((step) => (step.kind === 'join' ? [step.node] : []))];
}

function localError(what: string, error: unknown): ToolError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ToolError('LOCAL', `${what}: ${reason}`, error);
}
