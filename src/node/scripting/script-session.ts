/** The client as whom a script runs its commands: it has a database and a protocol of its own, and its caller's rights. */
import type { User } from '../../acl/index.ts';
import type { MonoMs } from '../../base/index.ts';
import { Session } from '../../commands/index.ts';
import { type ReplyBufferPool, ReplyWriter } from '../../resp/index.ts';

export class ScriptSession extends Session {
  readonly inputBytes: number = 0;
  readonly inputCapacity: number = 0;
  readonly fd: number = -1;

  constructor(init: {
    readonly bufferPool: ReplyBufferPool;
    readonly user: User;
    readonly now: MonoMs;
  }) {
    super({
      id: 0,
      // Nobody is sent what is written here: the script gets it as a value.
      reply: new ReplyWriter(init.bufferPool, () => undefined),
      address: '?:0',
      localAddress: '',
      now: init.now,
      user: init.user,
    });
    this.role = 'script';
    this.isAuthenticated = true;
  }

  get outputBytes(): number {
    return this.reply.length;
  }

  closeAfterReply(): void {
    // There is no connection; the caller's stays.
  }

  close(): void {
    // As above.
  }
}
