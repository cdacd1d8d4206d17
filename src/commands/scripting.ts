/** EVAL and its like, and SCRIPT. */
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { SCRIPTING_FACTS } from './facts/scripting.ts';
import { defineCommands } from './facts.ts';
import { helpHandler } from './help.ts';
import type { EvalManner } from './script-service.ts';
import type { ScriptDebugging } from './session.ts';
import type { CommandSpec, Handler } from './spec.ts';

function evaluating(how: EvalManner): Handler {
  return (context, request, reply) => context.server.scripts.evaluate(context, request, reply, how);
}

const DEBUG_MODES: readonly (readonly [word: string, mode: ScriptDebugging])[] = [
  ['yes', 'onCopy'],
  ['sync', 'sync'],
  ['no', 'no'],
];

/** SCRIPT DEBUG YES|SYNC|NO: what is to become of the scripts that the client calls with EVAL from now on. */
function debug({ session }: Context, request: Request, reply: ReplyWriter): void {
  const mode = DEBUG_MODES.find(([word]) => request.is(2, word))?.[1];
  if (session.outputBytes > 0) {
    return reply.error('ERR SCRIPT DEBUG must be called outside a pipeline');
  }
  if (mode === undefined) return reply.error('ERR Use SCRIPT DEBUG YES/SYNC/NO');
  session.debugging = mode;
  reply.ok();
}

function exists({ server }: Context, request: Request, reply: ReplyWriter): void {
  reply.array(request.argc - 2);
  for (let i = 2; i < request.argc; i++) reply.int(server.scripts.has(request.text(i)) ? 1 : 0);
}

/** SCRIPT FLUSH [ASYNC|SYNC]. */
function flush({ server }: Context, request: Request, reply: ReplyWriter): void {
  const isKnown = request.argc === 2 || request.is(2, 'sync') || request.is(2, 'async');
  if (!isKnown || request.argc > 3) {
    return reply.error('ERR SCRIPT FLUSH only support SYNC|ASYNC option');
  }
  server.scripts.flush();
  reply.ok();
}

function kill({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const refusal = server.scripts.kill();
  if (refusal === undefined) reply.ok();
  else reply.error(refusal);
}

function load({ server }: Context, request: Request, reply: ReplyWriter): void {
  const loaded = server.scripts.load(request.text(2));
  if ('sha' in loaded) reply.bulkText(loaded.sha);
  else reply.error(loaded.error);
}

/** EVAL, EVALSHA, EVAL_RO, EVALSHA_RO and SCRIPT. */
export const scriptingCommands: readonly CommandSpec[] = defineCommands(SCRIPTING_FACTS, {
  eval: evaluating({ bySha: false, isReadOnly: false }),
  eval_ro: evaluating({ bySha: false, isReadOnly: true }),
  evalsha: evaluating({ bySha: true, isReadOnly: false }),
  evalsha_ro: evaluating({ bySha: true, isReadOnly: true }),
  'script|debug': debug,
  'script|exists': exists,
  'script|flush': flush,
  'script|help': helpHandler('script'),
  'script|kill': kill,
  'script|load': load,
});
