/** Clients that may go on with requests that waited. */
import type { Client } from './client.ts';

export class Resumption {
  #mayAll = false;
  /** Those that are not blocked any more and have not gone on yet. */
  #unblocked: Client[] = [];

  /** Whether anybody may go on. */
  get isDue(): boolean {
    return this.#mayAll || this.#unblocked.length > 0;
  }

  /** Whether everybody may, replicas included. */
  get isOfAll(): boolean {
    return this.#mayAll;
  }

  askForAll(): void {
    this.#mayAll = true;
  }

  unblock(client: Client): void {
    client.blocked = undefined;
    this.#unblocked.push(client);
  }

  /** Lets them run their requests; `all` are the node's clients. */
  run(all: Iterable<Client>): void {
    const clients = this.#mayAll ? [...all] : this.#unblocked;
    this.#mayAll = false;
    this.#unblocked = [];
    for (const client of clients) {
      if (client.blocked?.kind === 'pause') client.blocked = undefined;
      if (client.blocked === undefined) client.resume();
    }
  }
}
