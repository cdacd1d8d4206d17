/** Calls that a script interrupts which goes on in later turns: its own, and EXEC's around it. */
import { invariant } from '../base/index.ts';
import { type ReplyWriter, Request } from '../resp/index.ts';
import type { CallContext } from './call-context.ts';

interface SuspendedCall {
  readonly context: CallContext;
  /** A copy: the client's bytes have been taken by others meanwhile. */
  readonly request: Request;
}

export interface TakenCalls {
  /** The script's call, if it is in a transaction. */
  readonly inner: SuspendedCall | undefined;
  /** The client's call: EXEC, or that of the script. */
  readonly outer: SuspendedCall;
}

const NO_BYTES: Buffer = Buffer.alloc(0);

export class SuspendedCalls {
  #inner: SuspendedCall | undefined;
  #outer: SuspendedCall | undefined;
  /** The answer of EXEC so far: out-of-band messages must not come into the middle of it. */
  #replyBytes: Buffer = NO_BYTES;

  addInner(context: CallContext, request: Request): void {
    this.#inner = { context, request: copyOf(request) };
  }

  /** Takes what was replied from `replyStart` on away, until the call goes on. */
  addOuter(context: CallContext, request: Request, reply: ReplyWriter, replyStart: number): void {
    this.#outer = { context, request: copyOf(request) };
    this.#replyBytes = Buffer.from(reply.pending.subarray(replyStart, reply.length));
    reply.truncate(replyStart);
  }

  /** Puts the replies back, before the script's own is written. */
  restoreReply(): void {
    invariant(this.#outer !== undefined, 'a script that goes on was called');
    const bytes = this.#replyBytes;
    this.#replyBytes = NO_BYTES;
    this.#outer.context.session.reply.raw(bytes, 0, bytes.length);
  }

  take(): TakenCalls {
    const inner = this.#inner;
    const outer = this.#outer;
    invariant(outer !== undefined, 'a script that goes on was called');
    this.#inner = undefined;
    this.#outer = undefined;
    return { inner, outer };
  }
}

function copyOf(request: Request): Request {
  const copy = new Request();
  copy.load(Array.from({ length: request.argc }, (_, i) => request.copy(i)));
  return copy;
}
