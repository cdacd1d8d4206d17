/** Replies as text, for readers that do not care how the server wrote it. */
import { PushReply, type Reply, ReplyError } from '../resp/index.ts';

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

/** `standalone`, `cluster` or `sentinel`, as INFO says; Valkey has another field for it. Undefined where neither is there. */
export function serverMode(info: ReadonlyMap<string, string>): string | undefined {
  return info.get('redis_mode') ?? info.get('server_mode');
}

function isList(reply: Reply | undefined): reply is readonly Reply[] {
  return Array.isArray(reply);
}

/** A reply for people: one item a line with its number, as redis-cli shows it on a terminal, without quotes. */
export function formatReply(reply: Reply, indent: string = ''): string {
  if (reply === null) return '(nil)';
  if (reply instanceof ReplyError) return `(error) ${reply.message}`;
  if (reply instanceof PushReply) return formatReply(reply.items, indent);
  if (reply instanceof Map) return formatReply([...reply].flat(), indent);
  if (!isList(reply)) return typeof reply === 'boolean' ? String(reply) : replyText(reply);
  if (reply.length === 0) return '(empty array)';
  return reply
    .map((item, index) => {
      const head = `${index + 1}) `;
      const text = formatReply(item, indent + ' '.repeat(head.length));
      return (index === 0 ? '' : indent) + head + text;
    })
    .join('\n');
}
