/**
 * What the page can do: plan a switchover, and carry out exactly the plan that was shown. A plan that was not asked for
 * soon is forgotten, and there is one run at a time.
 */
import { randomUUID } from 'node:crypto';
import { ToolError, asToolError, collectingScreen } from '../tools/index.ts';
import type { PlannedRun, RunState } from './messages.ts';
import type { Operator, PlannedSwitchover } from './operator.ts';

export interface ActionsOptions {
  readonly operator: Operator;
  /** Hears of every line of a run. */
  readonly onRun: (run: RunState) => void;
}

interface Plan extends PlannedSwitchover {
  readonly id: string;
  readonly madeMs: number;
}

/** A plan that is older was made for another moment. */
const PLAN_AGE_MAX_MS = 5 * 60_000;
const PLANS_MAX = 20;

export class Actions {
  readonly #options: ActionsOptions;
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

  /** Plans a switchover as `Operator.plan` does. Throws ToolError. */
  async plan(node: string | undefined): Promise<PlannedRun> {
    const planned = await this.#options.operator.plan(node);
    const id = randomUUID();
    this.#plans.set(id, { ...planned, id, madeMs: performance.now() });
    for (const old of [...this.#plans.keys()].slice(0, -PLANS_MAX)) this.#plans.delete(old);
    const { meaning, lines } = planned;
    return { id, meaning, lines };
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
    this.#options.operator.close();
  }

  async #carryOut(plan: Plan): Promise<void> {
    const lines: string[] = [];
    const show = (state: RunState['state']): void => {
      this.#run = { id: plan.id, state, lines: [...lines] };
      this.#options.onRun(this.#run);
    };
    show('running');
    try {
      const status = await plan.carryOut(collectingScreen(lines, () => show('running')));
      show(status === 0 ? 'done' : 'failed');
    } catch (thrown) {
      const error = asToolError(thrown);
      if (!(error instanceof ToolError)) throw error;
      lines.push(error.message);
      show('failed');
    }
  }
}
