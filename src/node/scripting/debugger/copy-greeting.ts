/**
 * What is said to a copy of the node before its client talks to it: it makes the connection as the client's own is, and calls
 * EVAL. All answers but that of EVAL are for nobody.
 */
import type { Session } from '../../../commands/index.ts';
import type { Request } from '../../../resp/index.ts';

/** Comes back when all before it is done; no answer to that can hold it. */
const MARK = 'slotline-copy-is-ready';
const DEFAULT_USER = 'default';
/** Answers before the mark take no more; one that does is no answer to what was asked. */
const ANSWER_BYTES_MAX: number = 64 * 1024;
const OK = '+OK\r\n';

export class Greeting {
  /** What is to be sent. */
  readonly bytes: Buffer;
  /** What must follow the mark. */
  readonly #expected: string;
  #answer = '';
  isOver = false;

  /** @param evaluation the call of EVAL */
  constructor(client: Session, evaluation: Request) {
    const { user, dbIndex, reply } = client;
    const commands: (readonly string[])[] = [['SCRIPT', 'DEBUG', 'SYNC']];
    if (reply.resp === 3) commands.push(['HELLO', '3']);
    commands.push(['SELECT', String(dbIndex)], ['ECHO', MARK]);
    // From here on it has the client's rights, and no others. Nobody else can reach the copy.
    const rules = ['reset', ...user.text.split(' '), 'on', 'nopass'];
    const rights = [['ACL', 'SETUSER', user.name, ...rules]];
    if (user.name !== DEFAULT_USER) rights.push(['AUTH', user.name, 'any']);
    const args = Array.from({ length: evaluation.argc }, (_, index) => evaluation.copy(index));
    this.bytes = Buffer.concat([
      ...[...commands, ...rights].map((words) => encoded(words.map((word) => latin1(word)))),
      encoded(args),
    ]);
    this.#expected = `$${MARK.length}\r\n${MARK}\r\n${OK.repeat(rights.length)}`;
  }

  /** Takes what came from the copy. Where in it the answer to EVAL begins or goes on; what the copy refused, if it did. */
  skip(buf: Buffer, size: number): number | string {
    if (this.isOver) return 0;
    const before = this.#answer.length;
    this.#answer += buf.toString('latin1', 0, size);
    const at = this.#answer.indexOf(this.#expected);
    if (at >= 0) {
      this.isOver = true;
      const end = at + this.#expected.length;
      this.#answer = '';
      return end - before;
    }
    const refusal = /^-.*(?=\r\n)/m.exec(this.#answer)?.[0];
    if (refusal !== undefined) return refusal.slice(1);
    return this.#answer.length > ANSWER_BYTES_MAX ? 'it answers something else' : size;
  }
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function encoded(args: readonly Buffer[]): Buffer {
  const parts = args.flatMap((arg) => [latin1(`$${arg.length}\r\n`), arg, latin1('\r\n')]);
  return Buffer.concat([latin1(`*${args.length}\r\n`), ...parts]);
}
