/** SLOWLOG. */
import { NOT_INTEGER } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { unknownUse } from './errors.ts';
import { helpHandler } from './help.ts';
import type { Handler } from './spec.ts';

const DEFAULT_COUNT = 10;

function get({ server }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 3) return reply.error(unknownUse(request.text(1), 'SLOWLOG'));
  let count = DEFAULT_COUNT;
  if (request.argc === 3) {
    const asked = request.int(2);
    if (asked === NOT_INTEGER || asked < -1) {
      return reply.error('ERR count should be greater than or equal to -1');
    }
    count = asked === -1 ? server.slowLog.size : Number(asked);
  }
  const entries = server.slowLog.latest(count);
  reply.array(entries.length);
  for (const entry of entries) {
    reply.array(6);
    reply.int(entry.id);
    reply.int(entry.unixSeconds);
    reply.int(entry.durationUs);
    reply.array(entry.args.length);
    for (const arg of entry.args) reply.bulkBytes(arg);
    reply.bulkText(entry.address);
    reply.bulkText(entry.clientName);
  }
}

function reset({ server }: Context, _request: Request, reply: ReplyWriter): void {
  server.slowLog.reset();
  reply.ok();
}

/** The functions of SLOWLOG and its subcommands by full name. */
export const slowLogHandlers: Readonly<Record<string, Handler>> = {
  'slowlog|get': get,
  'slowlog|help': helpHandler('slowlog'),
  'slowlog|len': ({ server }, _request, reply) => reply.int(server.slowLog.size),
  'slowlog|reset': reset,
};
