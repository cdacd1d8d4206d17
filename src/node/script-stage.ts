/**
 * What the rest of the node does while a script goes on in later turns: clients wait or hear BUSY, nothing else changes data,
 * and time stands still for the script.
 */
import type { UnixMs } from '../base/index.ts';
import type { Command, Context, Session } from '../commands/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { Request } from '../resp/index.ts';
import type { BackgroundWork } from './background-work.ts';
import type { Clients } from './clients.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { ScriptSession } from './scripting/script-session.ts';

export interface ScriptStageHost {
  readonly clients: Clients;
  readonly keyspace: Keyspace;
  readonly unixNow: UnixMs;
  /** A script has begun and goes on in later turns. */
  readonly isInScript: boolean;
  unblockSession(session: Session): void;
}

export class ScriptStage {
  readonly #host: ScriptStageHost;
  readonly #dispatcher: Dispatcher;
  readonly #work: BackgroundWork;

  constructor(host: ScriptStageHost, dispatcher: Dispatcher, work: BackgroundWork) {
    this.#host = host;
    this.#dispatcher = dispatcher;
    this.#work = work;
  }

  /** Runs a command of a script, which has checked it. */
  run(session: ScriptSession, command: Command<Context>, request: Request): void {
    this.#dispatcher.runFromScript(session, command, request);
  }

  /** Does nothing else in the background until `slice` answers false. The caller waits, and so do all clients. */
  hold(caller: Session, slice: () => boolean): void {
    caller.blocked = { kind: 'outside', deadline: undefined };
    this.#host.clients.holdForScript();
    this.#work.addSole(slice);
  }

  /** For a slice: the next one comes after `wake`. */
  rest(): void {
    this.#work.rest();
  }

  wake(): void {
    this.#work.wake();
  }

  /** Clients wait no more, and most of what they ask is refused. */
  tellBusy(): void {
    this.#host.clients.tellBusy();
  }

  /** Does something as at a moment before, while nothing is held: a slice of the script. */
  act(nowMs: UnixMs, slice: () => void): void {
    const { clients, keyspace, unixNow } = this.#host;
    keyspace.nowMs = nowMs;
    clients.actForScript(slice);
    keyspace.nowMs = unixNow;
  }

  /** The answer of the script follows; in a transaction it comes behind those before. */
  restoreReply(): void {
    this.#dispatcher.restoreReply();
  }

  /** The script has answered: ends the calls that it had interrupted, and lets everybody go on. */
  release(caller: Session): void {
    this.#host.clients.releaseAfterScript();
    this.#dispatcher.endSuspended();
    // The next script of the same transaction may take long, too.
    if (!this.#host.isInScript) this.#host.unblockSession(caller);
  }
}
