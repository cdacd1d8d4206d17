/** What happened when, as the nodes saw it. Times are milliseconds after the fault. Pure. */

export interface TimelineEvent {
  readonly atMs: number;
  /** Who saw it: `host:port`. */
  readonly by: string;
  readonly kind: string;
  readonly text: string;
}

/** Equal events of several observers as one. */
export interface MergedEvent {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly kind: string;
  readonly text: string;
  readonly by: readonly string[];
}

export class Timeline {
  readonly #events: TimelineEvent[] = [];
  readonly #now: () => number;
  #zeroMs = 0;

  /** `now` answers milliseconds of any clock that does not jump. */
  constructor(now: () => number) {
    this.#now = now;
    this.#zeroMs = now();
  }

  /** The fault begins now: times count from here. Answers this moment on the clock. */
  begin(): number {
    const shift = this.#now() - this.#zeroMs;
    this.#zeroMs += shift;
    for (const [index, event] of this.#events.entries()) {
      this.#events[index] = { ...event, atMs: event.atMs - shift };
    }
    return this.#zeroMs;
  }

  add(by: string, kind: string, text: string): void {
    this.#events.push({ atMs: this.#now() - this.#zeroMs, by, kind, text });
  }

  /** In the order of their times. */
  get events(): readonly TimelineEvent[] {
    return this.#events.toSorted((a, b) => a.atMs - b.atMs);
  }
}

/** Events with the same kind and text as one, in the order in which they were seen first. */
export function mergedEvents(events: readonly TimelineEvent[]): MergedEvent[] {
  const merged = new Map<string, MergedEvent>();
  for (const { atMs, by, kind, text } of events) {
    const key = `${kind} ${text}`;
    const known = merged.get(key);
    const witnesses = known?.by ?? [];
    merged.set(key, {
      firstMs: known?.firstMs ?? atMs,
      lastMs: atMs,
      kind,
      text,
      by: witnesses.includes(by) ? witnesses : [...witnesses, by],
    });
  }
  return [...merged.values()];
}
