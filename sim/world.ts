/**
 * Virtual time and chance. Everything that happens is an event in one queue, ordered by time and then by the order in
 * which it was asked for; every draw comes from one seeded generator. So one seed is one history, and the trace hash
 * says so: two runs of a seed must end with the same hash.
 */
import { type Rng, invariant, seededRng } from '../src/base/index.ts';

export const US_PER_MS = 1000;

interface Happening {
  readonly atUs: number;
  readonly order: number;
  run(): void;
}

/** FNV-1a over 32-bit words, in two lanes so that collisions stay out of the way. */
export class TraceHash {
  #low = 0x811c9dc5;
  #high = 0x050c5d1f;

  add(value: number): void {
    this.#low = Math.imul(this.#low ^ (value >>> 0), 0x01000193);
    this.#high = Math.imul(this.#high ^ (value >>> 0), 0x01000197) ^ (this.#low >>> 15);
  }

  addText(text: string): void {
    for (let i = 0; i < text.length; i++) this.add(text.charCodeAt(i));
  }

  get text(): string {
    const half = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return half(this.#high) + half(this.#low);
  }
}

export class World {
  readonly seed: number;
  readonly rng: Rng;
  readonly trace: TraceHash = new TraceHash();
  /** Microseconds since the world began; only moves forward. */
  nowUs = 0;
  eventCount = 0;
  readonly #heap: Happening[] = [];
  #order = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.rng = seededRng(seed);
  }

  get nowMs(): number {
    return Math.floor(this.nowUs / US_PER_MS);
  }

  /** A generator of its own, so that one part's draws do not shift another's. */
  branch(): Rng {
    return seededRng(this.rng.below(0x1_0000_0000));
  }

  after(delayUs: number, run: () => void): void {
    this.at(this.nowUs + Math.max(0, delayUs), run);
  }

  afterMs(delayMs: number, run: () => void): void {
    this.after(delayMs * US_PER_MS, run);
  }

  at(atUs: number, run: () => void): void {
    invariant(atUs >= this.nowUs, 'nothing happens in the past');
    this.#push({ atUs, order: this.#order++, run });
  }

  /** Writes a fact into the trace. */
  note(what: string, ...numbers: readonly number[]): void {
    this.trace.add(this.nowUs);
    this.trace.addText(what);
    for (const value of numbers) this.trace.add(value);
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    const endUs = this.nowUs + durationMs * US_PER_MS;
    while (this.#step(endUs));
    this.nowUs = endUs;
  }

  /** Lets time pass until `isDone`, asked after each event; false when it did not come within the limit. */
  runUntil(isDone: () => boolean, limitMs: number): boolean {
    const endUs = this.nowUs + limitMs * US_PER_MS;
    while (!isDone()) {
      if (this.#step(endUs)) continue;
      this.nowUs = endUs;
      return isDone();
    }
    return true;
  }

  /** Runs the next event if it is due by then. */
  #step(endUs: number): boolean {
    const next = this.#heap[0];
    if (next === undefined || next.atUs > endUs) return false;
    this.#pop();
    this.nowUs = next.atUs;
    this.eventCount++;
    next.run();
    return true;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (isBefore(heap[above]!, happening)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (isBefore(last, heap[below]!)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}
