/** Replies as text, for readers that do not care how the server wrote it. */
import type { Reply } from '../resp/index.ts';

/** A string or a number as text, anything else as the empty string. Bytes are read as UTF-8. */
export function replyText(reply: Reply | undefined): string {
  if (typeof reply === 'string') return reply;
  if (Buffer.isBuffer(reply)) return reply.toString();
  if (typeof reply === 'number' || typeof reply === 'bigint') return String(reply);
  return '';
}

/** The items of an aggregate; nothing of anything else. */
export function replyItems(reply: Reply | undefined): readonly Reply[] {
  return isList(reply) ? reply : [];
}

/** The `field:value` lines of INFO and CLUSTER INFO. */
export function replyFacts(reply: Reply | undefined): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  for (const line of replyText(reply).split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) facts.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return facts;
}

function isList(reply: Reply | undefined): reply is readonly Reply[] {
  return Array.isArray(reply);
}
