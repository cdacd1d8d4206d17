/** Which node serves which slot, as a client knows it: from CLUSTER SLOTS, corrected by MOVED. */
import { SLOT_COUNT, isSlot } from '../base/index.ts';
import type { Reply } from '../resp/index.ts';
import { replyItems, replyText } from './reply-text.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A MOVED or ASK error: where to go for which slot. */
export interface Redirect {
  readonly kind: 'moved' | 'ask';
  readonly slot: number;
  readonly to: Endpoint;
}

export class SlotCache {
  #masters: (Endpoint | undefined)[] = Array.from({ length: SLOT_COUNT });

  masterOf(slot: number): Endpoint | undefined {
    return this.#masters[slot];
  }

  set(slot: number, master: Endpoint): void {
    if (isSlot(slot)) this.#masters[slot] = master;
  }

  /** Every master with a slot, once, in the order of its first slot. */
  masters(): Endpoint[] {
    const byName = new Map<string, Endpoint>();
    let last: Endpoint | undefined;
    for (const master of this.#masters) {
      if (master === undefined || master === last) continue;
      last = master;
      const name = `${master.host} ${master.port}`;
      if (!byName.has(name)) byName.set(name, master);
    }
    return [...byName.values()];
  }

  /**
   * Takes the whole map of a CLUSTER SLOTS reply; what it leaves out has no master. A node without an address is the
   * one that was asked. Answers whether the reply named any slot; if not, what is known stays.
   */
  load(reply: Reply, asked: Endpoint): boolean {
    const fresh: (Endpoint | undefined)[] = Array.from({ length: SLOT_COUNT });
    let hasAny = false;
    for (const range of replyItems(reply)) {
      const [first, last, master] = replyItems(range);
      const [host, port] = replyItems(master);
      if (!isWhole(first) || !isWhole(last) || !isWhole(port) || !isSlot(last)) continue;
      const name = replyText(host);
      const endpoint = { host: name === '' || name === '?' ? asked.host : name, port };
      for (let slot = first; slot <= last; slot++) fresh[slot] = endpoint;
      hasAny = true;
    }
    if (hasAny) this.#masters = fresh;
    return hasAny;
  }
}

/** The redirection in an error text such as `MOVED 3999 127.0.0.1:6381`; the host may be left out. */
export function parseRedirect(text: string, asked: Endpoint): Redirect | undefined {
  const match = /^(MOVED|ASK) (\d{1,5}) (\S*):(\d{1,5})$/.exec(text);
  const slot = Number(match?.[2]);
  const port = Number(match?.[4]);
  if (match === null || !isSlot(slot) || port < 1 || port > 65535) return undefined;
  const host = match[3] === '' || match[3] === '?' ? asked.host : (match[3] ?? '');
  return { kind: match[1] === 'MOVED' ? 'moved' : 'ask', slot, to: { host, port } };
}

function isWhole(reply: Reply | undefined): reply is number {
  return typeof reply === 'number' && Number.isSafeInteger(reply) && reply >= 0;
}
