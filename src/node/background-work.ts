/** Long work done in slices between turns, so that no client waits for it. */

export class BackgroundWork {
  readonly #ask: () => void;
  #slices: (() => boolean)[] = [];
  /** Alone while it lasts. */
  #sole: (() => boolean) | undefined;
  /** The sole work waits for something. */
  #isResting = false;

  /** `ask`: asks for `run` to be called soon. */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** `slice` is called again and again until it returns false. */
  add(slice: () => boolean): void {
    if (this.#slices.length === 0 && this.#sole === undefined) this.#ask();
    this.#slices.push(slice);
  }

  /** As `add`, and nothing else is worked on until it returns false. */
  addSole(slice: () => boolean): void {
    if (this.#slices.length === 0) this.#ask();
    this.#sole = slice;
    this.#isResting = false;
  }

  /** For the slice of the sole work: it is not called again before `wake`. */
  rest(): void {
    this.#isResting = true;
  }

  wake(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#ask();
  }

  run(): void {
    if (this.#sole !== undefined) {
      if (!this.#sole()) this.#sole = undefined;
      const isWanted = this.#sole === undefined ? this.#slices.length > 0 : !this.#isResting;
      if (isWanted) this.#ask();
      return;
    }
    const slices = this.#slices;
    // What a slice adds stands behind these and has its turn the next time.
    const count = slices.length;
    let kept = 0;
    for (let i = 0; i < count; i++) if (slices[i]!()) slices[kept++] = slices[i]!;
    if (kept < count) slices.splice(kept, count - kept);
    if (slices.length > 0 || this.#sole !== undefined) this.#ask();
  }
}
