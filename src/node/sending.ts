/** When replies leave: those to all that asked at about the same time together, behind the sync that they share. */

/** Turns that may wait for what others ask at the same time; one costs microseconds, a sync hundreds of them. */
const GATHERING_TURNS_MAX = 3;

export interface SendingHost {
  readonly ports: { sendSoon?(): void };
  readonly clients: {
    readonly count: number;
    readonly waitingCount: number;
    readonly hasLongOutput: boolean;
    flush(): void;
  };
  readonly persistence: { readonly aof: { readonly bytesToSync: number } };
}

export class Sending {
  readonly #host: SendingHost;
  #isAsked = false;
  #gatheringTurns = 0;
  /** Of the log, when it was last looked at. */
  #gatheredBytes = 0;

  constructor(host: SendingHost) {
    this.#host = host;
  }

  /**
   * A turn has left replies. Every one that leaves alone wakes its client, who then takes the processor from us before the
   * next one is ready; sent together, most clients are awake when theirs comes. `mustGo`: they wait for nothing.
   */
  sendOrAsk(mustGo: boolean): void {
    const { ports, clients } = this.#host;
    if (ports.sendSoon === undefined || mustGo || clients.hasLongOutput) return clients.flush();
    if (this.#isAsked) return;
    this.#isAsked = true;
    ports.sendSoon();
  }

  /** The turn that was asked for. */
  send(): void {
    const { ports, clients } = this.#host;
    if (this.#isWorthWaiting()) return ports.sendSoon?.();
    this.#isAsked = false;
    this.#gatheringTurns = 0;
    this.#gatheredBytes = 0;
    clients.flush();
  }

  /** Something long follows: replies do not wait for it. */
  beforeSlice(): void {
    if (this.#isAsked) this.#host.clients.flush();
  }

  /**
   * With `appendfsync always` one sync does for all that has been asked, and who has just been answered asks again
   * while others still are: as long as each turn brings more, and not all have asked, there is one more.
   */
  #isWorthWaiting(): boolean {
    const { clients, persistence } = this.#host;
    const bytes = persistence.aof.bytesToSync;
    if (bytes <= this.#gatheredBytes || clients.waitingCount >= clients.count) return false;
    this.#gatheredBytes = bytes;
    return this.#gatheringTurns++ < GATHERING_TURNS_MAX;
  }
}
