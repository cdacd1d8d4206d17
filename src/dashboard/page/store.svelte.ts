/** What the page knows, kept up to date by the server's stream. */
import { addToHistory, emptyHistory } from '../history.ts';
import type { History } from '../history.ts';
import type { Hello, PlannedRun, Refused, RunState, Session } from '../messages.ts';
import type { WatchEvent, WatchSnapshot } from '../../tools/watch/index.ts';

/** As many as the server keeps. */
const EVENTS_MAX = 1000;

class Store {
  snapshot: WatchSnapshot | undefined = $state.raw();
  /** Newest first. */
  events: readonly WatchEvent[] = $state.raw([]);
  run: RunState | undefined = $state.raw();
  session: Session | undefined = $state.raw();
  isLive: boolean = $state(false);
  selectedId: string | undefined = $state();
  /** Counts the samples of `history`, which itself is too large to be watched. */
  ticks: number = $state(0);
  history: History = emptyHistory();

  /** Listens until the page is left; the browser connects anew by itself. */
  connect(): void {
    void this.#readSession();
    const stream = new EventSource('api/stream');
    stream.addEventListener('open', () => {
      this.isLive = true;
    });
    stream.addEventListener('error', () => {
      this.isLive = false;
    });
    on(stream, 'hello', (hello: Hello) => {
      this.snapshot = hello.snapshot;
      this.events = hello.events.toReversed();
      this.history = hello.history;
      this.run = hello.run;
      this.ticks++;
    });
    on(stream, 'snapshot', (snapshot: WatchSnapshot) => {
      addToHistory(this.history, snapshot);
      this.snapshot = snapshot;
      this.ticks++;
    });
    on(stream, 'event', (event: WatchEvent) => {
      this.events = [event, ...this.events.slice(0, EVENTS_MAX - 1)];
    });
    on(stream, 'run', (run: RunState) => {
      this.run = run;
    });
  }

  /** Plans a switchover of the shard of `node`, or of all. Throws Error with what the server says. */
  plan(node: string | undefined): Promise<PlannedRun> {
    return this.#post('api/plan', { node });
  }

  /** Carries out a plan; the stream tells how it goes. Throws Error with what the server says. */
  async start(id: string): Promise<void> {
    await this.#post('api/run', { id });
  }

  async #readSession(): Promise<void> {
    const answer = await fetch('api/session');
    if (answer.ok) this.session = (await answer.json()) as Session;
  }

  async #post<T>(path: string, body: object): Promise<T> {
    const answer = await fetch(path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-slotline-csrf': this.session?.csrf ?? '',
      },
      body: JSON.stringify(body),
    });
    const value = (await answer.json()) as T | Refused;
    if (!answer.ok) throw new Error((value as Refused).error);
    return value as T;
  }
}

export const store: Store = new Store();

function on<T>(stream: EventSource, name: string, take: (value: T) => void): void {
  stream.addEventListener(name, (message: MessageEvent<string>) => {
    take(JSON.parse(message.data) as T);
  });
}
