/** Lets a bounded number of jobs run at once. The first failure is kept and thrown at whoever comes next. */
export class Gate {
  readonly #max: number;
  #running = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void)[] = [];

  /** At most `max` jobs at once, at least 1. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Starts `job` as soon as there is room, and returns then, without waiting for its end. */
  async start(job: () => Promise<void>): Promise<void> {
    while (this.#running >= this.#max) await this.#change();
    this.#check();
    this.#running++;
    void this.#run(job);
  }

  /** Waits until nothing runs. Throws what a job threw. */
  async drain(): Promise<void> {
    while (this.#running > 0) await this.#change();
    this.#check();
  }

  async #run(job: () => Promise<void>): Promise<void> {
    try {
      await job();
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running--;
    const woken = this.#wake;
    this.#wake = [];
    for (const wake of woken) wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
