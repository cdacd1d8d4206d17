/**
 * What a client received, in a form that is the same for two servers that did the same: ids of clients by name, no
 * versions, one null, and the channels that one command leaves in the order of their names.
 */

/** Names of clients by their ids. */
export type ClientNames = ReadonlyMap<string, string>;

/** An id that is an integer or a bulk string; none has fewer digits, see `Side`. */
const ID = /(?<=[:\n])\d{4,}(?=\r\n)/g;
const BULK_ID = /\$\d+\r\n(\d{4,})(?=\r\n)/g;
/** Two fields of the reply to HELLO. */
const OWN_FIELDS = /(?<=\r\n)\$\d+\r\n(server|version)\r\n\$\d+\r\n[^\r]*\r\n/g;
/**
 * Confirmations that channels were left, one after the other: UNSUBSCRIBE without names goes through a hash table there.
 * How many are left stays where it is.
 */
const LEFT = /(?:[*>]3\r\n\$\d+\r\n[ps]?unsubscribe\r\n\$\d+\r\n[^\r]*\r\n:\d+\r\n)+/g;
/** Which null tells a client that all keys are invalid goes by the protocol of who tracks there, not of who is told. */
const NULL_INVALIDATION = /(?<=\r\n__redis__:invalidate\r\n|\r\ninvalidate\r\n)(?:_|\$-1)(?=\r\n)/g;
const LEFT_CHANNEL = /\$\d+\r\n[^\r]*(?=\r\n:)/g;

export function normalForm(received: Buffer, names: ClientNames): string {
  return received
    .toString('latin1')
    .replace(OWN_FIELDS, '$$$1\r\n')
    .replace(BULK_ID, (bulk, id: string) => names.get(id) ?? bulk)
    .replace(ID, (id) => names.get(id) ?? id)
    .replace(NULL_INVALIDATION, 'null')
    .replace(LEFT, inOrder);
}

function inOrder(confirmations: string): string {
  const channels = [...confirmations.matchAll(LEFT_CHANNEL)].map(([channel]) => channel).sort();
  let next = 0;
  return confirmations.replace(LEFT_CHANNEL, () => channels[next++] ?? '');
}

/** How many messages and invalidations are in it. */
export function countMessages(received: string): number {
  return received.match(/\r\n[ps]?message\r\n|\r\ninvalidate\r\n/g)?.length ?? 0;
}
