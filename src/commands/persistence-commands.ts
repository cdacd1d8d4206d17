/** SAVE, BGSAVE, LASTSAVE, and DEBUG's reloading of data. Source: behaviour of redis-server 7.0.15. */
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_SYNTAX } from './errors.ts';
import type { Handler } from './spec.ts';

const ERR_IN_PROGRESS = 'ERR Background save already in progress';

function save({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const { persistence } = server;
  if (persistence.saving !== undefined) return reply.error(ERR_IN_PROGRESS);
  if (persistence.save() !== undefined) return reply.error('ERR');
  reply.ok();
}

/** BGSAVE [SCHEDULE]. Nothing here keeps a save from beginning at once but another one. */
function backgroundSave({ server }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 2 || (request.argc === 2 && !request.is(1, 'schedule'))) {
    return reply.error(ERR_SYNTAX);
  }
  const { persistence } = server;
  if (persistence.saving !== undefined) return reply.error(ERR_IN_PROGRESS);
  if (persistence.startSave() !== undefined) return reply.error('ERR');
  reply.simple('Background saving started');
}

/** BGREWRITEAOF. */
function rewriteAof({ server, session }: Context, _request: Request, reply: ReplyWriter): void {
  const { aof, saving } = server.persistence;
  if (aof.isRewriting) {
    return reply.error('ERR Background append only file rewriting already in progress');
  }
  if (session.queue !== undefined || saving !== undefined) {
    // Now it would have half of the transaction, or be beside another snapshot.
    aof.isScheduled = true;
    return reply.simple('Background append only file rewriting scheduled');
  }
  if (aof.startRewrite() === undefined) {
    return reply.simple('Background append only file rewriting started');
  }
  reply.error(
    "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
  );
}

/** DEBUG LOADAOF. */
export const debugLoadAof: Handler = ({ server }, _request, reply) => {
  const { aof } = server.persistence;
  const failure = aof.reload();
  if (failure === undefined) {
    server.log('warning', 'Append Only File loaded by DEBUG LOADAOF');
    return reply.ok();
  }
  server.log('warning', failure);
  reply.error('ERR Error trying to load the AOF files, check server logs.');
};

function lastSave({ server }: Context, _request: Request, reply: ReplyWriter): void {
  reply.int(server.persistence.lastSaveUnixSeconds);
}

/** DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE]. */
export const debugReload: Handler = ({ server }, request, reply) => {
  let saves = true;
  let flushes = true;
  let merges = false;
  for (let i = 2; i < request.argc; i++) {
    if (request.is(i, 'merge')) merges = true;
    else if (request.is(i, 'noflush')) flushes = false;
    else if (request.is(i, 'nosave')) saves = false;
    else {
      return reply.error('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.');
    }
  }
  const failed = server.persistence.reload({ saves, flushes, merges });
  if (failed === 'saving') return reply.error('ERR');
  if (failed === 'loading') {
    return reply.error('ERR Error trying to load the RDB dump, check server logs.');
  }
  reply.ok();
};

/** The functions of the commands by name. */
export const persistenceHandlers: Readonly<Record<string, Handler>> = {
  bgrewriteaof: rewriteAof,
  bgsave: backgroundSave,
  lastsave: lastSave,
  save,
};
