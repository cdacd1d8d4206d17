/** DEBUG PROTOCOL: one reply of each type, for tests of clients. Source: behaviour of redis-server 7.0.15. */
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';

const NO_RESP2 = 'ERR RESP2 is not supported by this command';

/** Writes a reply of the type named. */
export function debugProtocol(_context: Context, request: Request, reply: ReplyWriter): void {
  switch (request.text(2).toLowerCase()) {
    case 'string':
      return reply.bulkText('Hello World');
    case 'integer':
      return reply.int(12345);
    case 'double':
      return reply.double('3.141');
    case 'null':
      return reply.nullBulk();
    case 'array':
      reply.array(3);
      return writeNumbers(reply);
    case 'set':
      reply.set(3);
      return writeNumbers(reply);
    case 'map':
      return writeMap(reply);
    case 'attrib':
      return writeAttribute(reply);
    case 'push':
      return writePush(reply);
    case 'verbatim':
      return reply.verbatim('txt', 'This is a verbatim\nstring');
    case 'bignum':
      return reply.bigNumber('1234567999999999999999999999999999999');
    case 'true':
      return reply.boolean(true);
    case 'false':
      return reply.boolean(false);
    default:
      return reply.error(
        'ERR Wrong protocol type name. Please use one of the following: ' +
          'string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false',
      );
  }
}

function writeNumbers(reply: ReplyWriter): void {
  for (let i = 0; i < 3; i++) reply.int(i);
}

function writeMap(reply: ReplyWriter): void {
  reply.map(3);
  for (let i = 0; i < 3; i++) {
    reply.int(i);
    reply.boolean(i === 1);
  }
}

function writeAttribute(reply: ReplyWriter): void {
  if (reply.resp === 3) {
    reply.attribute(1);
    reply.bulkText('key-popularity');
    reply.array(2);
    reply.bulkText('key:123');
    reply.int(90);
  }
  reply.bulkText('Some real reply following the attribute');
}

function writePush(reply: ReplyWriter): void {
  if (reply.resp === 2) return reply.error(NO_RESP2);
  reply.push(2);
  reply.bulkText('server-cpu-usage');
  reply.int(42);
  reply.bulkText('Some real reply following the push reply');
}
