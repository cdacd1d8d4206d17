/** The runs of a migration, one for each master of its source, as masters come and go. */
import type { Deployment, Endpoint } from '../../client/index.ts';
import { ProgressKeys } from '../flow/index.ts';
import { NO_SLOTS, slotsText } from './ends.ts';
import { SourceRun } from './source-run.ts';
import type { SourceRunOptions } from './source-run-options.ts';
import { removeProgress } from './stored-progress.ts';

export interface SourceRunsOptions extends Omit<SourceRunOptions, 'address' | 'key' | 'isAlone'> {
  /** Masters that make a snapshot at once. */
  readonly forksMax: number;
}

interface Going {
  readonly run: SourceRun;
  readonly ended: Promise<void>;
}

export class SourceRuns {
  readonly #options: SourceRunsOptions;
  #going: readonly Going[] = [];
  #waiting: SourceRun[] = [];
  #fail: (error: unknown) => void = () => undefined;
  /** Rejects when a run fails, with ToolError or ClientError. */
  readonly failure: Promise<never>;

  constructor(options: SourceRunsOptions) {
    this.#options = options;
    this.failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Who waits for something else hears of it when the runs end.
    this.failure.catch(() => undefined);
  }

  get list(): readonly SourceRun[] {
    return this.#going.map(({ run }) => run);
  }

  /** One run for each master that the source has now. Throws ClientError. */
  async open(target: Deployment): Promise<void> {
    const { source, state } = this.#options;
    const slots = source.masters().map((_, master) => slotsText(source, master));
    const { isNew } = state;
    const { keys, orphans } = state.adopt(slots);
    for (const id of orphans) await removeProgress(target, new ProgressKeys(id, target.isCluster));
    for (const [master, endpoint] of source.masters().entries()) {
      const key = keys[master] ?? (isNew ? state.add(slots[master]!) : undefined);
      await this.#open(endpoint, key);
    }
  }

  /** A master has joined: its keys come when its slots are settled. Throws ClientError. */
  async join(endpoint: Endpoint): Promise<void> {
    await this.#open(endpoint, undefined);
  }

  /** Starts who waits, as many at once as may make a snapshot. Throws ToolError and ClientError. */
  async startNext(): Promise<void> {
    const isForking = (run: SourceRun): boolean => !this.#waiting.includes(run) && !run.hasSnapshot;
    if (this.list.filter(isForking).length >= this.#options.forksMax) return;
    await this.#waiting.shift()?.start();
  }

  /** Lets go of the masters that have no slots any more, which must be settled. Throws ClientError. */
  async retire(): Promise<void> {
    for (const { run, ended } of this.#going.filter((each) => each.run.isOver)) {
      run.abandon();
      await ended;
      await run.forget();
      run.close();
      this.#options.state.remove(run.key);
      this.#going = this.#going.filter((each) => each.run !== run);
    }
  }

  /** Returns when every run has ended. Throws ToolError and ClientError. */
  async ended(): Promise<void> {
    await Promise.all(this.#going.map(({ ended }) => ended));
  }

  close(): void {
    for (const run of this.list) run.close();
  }

  async #open({ host, port }: Endpoint, known: string | undefined): Promise<void> {
    const { source, state } = this.#options;
    const run = await SourceRun.open({
      ...this.#options,
      address: { ...source.address, host, port },
      key: known ?? state.add(NO_SLOTS),
      isAlone: () => this.#going.length === 1,
    });
    const ended = run.run();
    ended.catch((error: unknown) => this.#fail(error));
    this.#going = [...this.#going, { run, ended }];
    this.#waiting.push(run);
  }
}
