/**
 * What the page can do: plan a switchover, and carry out exactly the plan that was shown. A plan that was not asked for
 * soon is forgotten, and there is one run at a time.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeAddress } from '../client/index.ts';
import { type Screen, ToolError, asToolError } from '../tools/index.ts';
import { MOVE_DEFAULTS, type OperateOptions, switchover } from '../tools/cluster/index.ts';
import type { PlannedRun, RunState } from './messages.ts';

export interface ActionsOptions {
  readonly seeds: readonly NodeAddress[];
  readonly journalFolder: string;
  /** Hears of every line of a run. */
  readonly onRun: (run: RunState) => void;
}

interface Plan extends PlannedRun {
  readonly shard: string | undefined;
  readonly file: string;
  readonly madeMs: number;
}

const STEP_TIMEOUT_MS = 60_000;
/** A plan that is older was made for another moment. */
const PLAN_AGE_MAX_MS = 5 * 60_000;
const PLANS_MAX = 20;

export class Actions {
  readonly #options: ActionsOptions;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'slotline-plans-'));
  readonly #plans: Map<string, Plan> = new Map();
  #run: RunState | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ActionsOptions) {
    this.#options = options;
  }

  /** The run that was started last. */
  get run(): RunState | undefined {
    return this.#run;
  }

  /** Plans a switchover of the shard that `shard` is a node of, or of all. Throws ToolError. */
  async plan(shard: string | undefined): Promise<PlannedRun> {
    const id = randomUUID();
    const file = join(this.#folder, `${id}.json`);
    const lines: string[] = [];
    await switchover(shard, this.#operate({ planFile: file }), collectingScreen(lines));
    const steps = lines.filter((line) => line.startsWith('- ')).map((line) => line.slice(2));
    if (steps.length === 0) throw new ToolError('NODES_REFUSED', 'Nothing to switch over');
    const plan = { id, shard, file, lines: steps, madeMs: performance.now() };
    this.#plans.set(id, plan);
    for (const old of [...this.#plans.keys()].slice(0, -PLANS_MAX)) this.#plans.delete(old);
    return { id, lines: steps };
  }

  /** Begins the run of a plan; `onRun` hears how it goes. Throws ToolError. */
  start(id: string): void {
    if (this.#run?.state === 'running') {
      throw new ToolError('LOCKED', 'Another run has not ended yet: wait for it');
    }
    const plan = this.#plans.get(id);
    this.#plans.delete(id);
    if (plan === undefined || performance.now() - plan.madeMs > PLAN_AGE_MAX_MS) {
      throw new ToolError('USAGE', 'The plan is not known any more: plan again');
    }
    this.#running = this.#carryOut(plan);
  }

  /** Waits for a run that is under way. */
  async close(): Promise<void> {
    await this.#running;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #carryOut(plan: Plan): Promise<void> {
    const lines: string[] = [];
    const show = (state: RunState['state']): void => {
      this.#run = { id: plan.id, state, lines: [...lines] };
      this.#options.onRun(this.#run);
    };
    show('running');
    const options = this.#operate({ applyFile: plan.file });
    try {
      const screen = collectingScreen(lines, () => show('running'));
      const status = await switchover(plan.shard, options, screen);
      show(status === 0 ? 'done' : 'failed');
    } catch (thrown) {
      const error = asToolError(thrown);
      if (!(error instanceof ToolError)) throw error;
      lines.push(error.message);
      show('failed');
    }
  }

  #operate(file: { planFile?: string; applyFile?: string }): OperateOptions {
    return {
      seeds: this.#options.seeds,
      timeoutMs: STEP_TIMEOUT_MS,
      isConfirmed: true,
      isDryRun: false,
      planFile: file.planFile,
      applyFile: file.applyFile,
      journalFolder: this.#options.journalFolder,
      move: MOVE_DEFAULTS,
    };
  }
}

/** A screen whose lines are kept. */
function collectingScreen(lines: string[], onLine: () => void = () => undefined): Screen {
  const add = (line: string): void => {
    lines.push(line);
    onLine();
  };
  return {
    isJson: false,
    out: add,
    note: add,
    json: () => undefined,
    event: () => undefined,
    paint: (_colour, text) => text,
  };
}
