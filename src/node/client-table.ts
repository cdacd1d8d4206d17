/**
 * The connected clients in the order of their ids, in which they come. A `Map` would do, but the tables that it outgrows
 * keep whoever was in them from being collected, and where clients come and go all the time that is most of them.
 */
import type { Client } from './client.ts';

export class ClientTable {
  readonly #clients: Client[] = [];

  get count(): number {
    return this.#clients.length;
  }

  /** Its id is above all others. */
  add(client: Client): void {
    this.#clients.push(client);
  }

  remove(client: Client): void {
    const clients = this.#clients;
    const place = this.#placeOf(client.id);
    if (clients[place] !== client) return;
    clients.copyWithin(place, place + 1);
    clients.pop();
  }

  find(id: number): Client | undefined {
    const client = this.#clients[this.#placeOf(id)];
    return client?.id === id ? client : undefined;
  }

  /** Nobody may come or go meanwhile. */
  all(): IterableIterator<Client> {
    return this.#clients.values();
  }

  /** Of the first whose id is not below this one. */
  #placeOf(id: number): number {
    let low = 0;
    let high = this.#clients.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#clients[middle]!.id < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
