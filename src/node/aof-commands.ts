/**
 * Reads the commands of an append-only file from pieces in any cut, and tells where the last whole one ended, so that a
 * torn end can be cut off. Knows no file.
 */
import { isAnnotation } from '../aof/index.ts';
import { splitArguments } from '../base/index.ts';
import { NEED_MORE, PARSED, Request, RequestParser } from '../resp/index.ts';

/** Who runs what is read. */
export interface AofCommandTarget {
  /** Why a command may not stand in the file, if so. */
  refusal(request: Request): string | undefined;
  /** Runs the command at `buf[at, at + size)`. */
  run(buf: Buffer, at: number, size: number): void;
  /** Between MULTI and EXEC. */
  readonly isInTransaction: boolean;
  /** The transaction that has begun does not end: nothing of it is run. */
  forgetTransaction(): void;
}

const NO_BYTES: Buffer = Buffer.alloc(0);
const ASTERISK = 0x2a;
const LINE_END = 0x0a;

export class AofCommands {
  /** Bytes that belong to whole commands outside of transactions: the file may be cut here. */
  soundBytes: number;
  readonly #target: AofCommandTarget;
  readonly #parser: RequestParser = new RequestParser({
    bulkBytesMax: Number.MAX_SAFE_INTEGER,
    splitInline: splitArguments,
  });
  readonly #request: Request = new Request();
  /** The command that is not all there yet: `#held[0, #heldSize)`. */
  #held: Buffer = NO_BYTES;
  #heldSize = 0;
  #bytes: number;

  /** `offset`: where in the file the commands begin. */
  constructor(target: AofCommandTarget, offset: number) {
    this.#target = target;
    this.soundBytes = offset;
    this.#bytes = offset;
  }

  /** Whether what was read ends with a whole command outside of a transaction. */
  get isWhole(): boolean {
    return this.#heldSize === 0 && !this.#target.isInTransaction;
  }

  /** Takes the next bytes; says why they are no commands, if so: `format`, or a text. */
  push(bytes: Buffer): 'format' | { readonly refusal: string } | undefined {
    const isHeld = this.#heldSize > 0;
    if (isHeld) this.#hold(bytes);
    const buf = isHeld ? this.#held.subarray(0, this.#heldSize) : bytes;
    let at = 0;
    while (at < buf.length) {
      const end = isAnnotation(buf[at]) ? endOfLine(buf, at) : this.#command(buf, at);
      if (typeof end !== 'number') return end;
      if (end === at) break;
      this.#bytes += end - at;
      at = end;
      if (!this.#target.isInTransaction) this.soundBytes = this.#bytes;
    }
    if (isHeld && at === 0) return undefined;
    this.#heldSize = 0;
    if (at < buf.length) this.#hold(buf.subarray(at));
    return undefined;
  }

  #hold(bytes: Buffer): void {
    const size = this.#heldSize + bytes.length;
    if (size > this.#held.length) {
      // Twice as much each time, or a value in many pieces would be copied again with every one.
      const grown = Buffer.allocUnsafe(size * 2);
      this.#held.copy(grown, 0, 0, this.#heldSize);
      this.#held = grown;
    }
    bytes.copy(this.#held, this.#heldSize);
    this.#heldSize = size;
  }

  /** Runs the command at `at`; where it ends, or `at` when it is not all there. */
  #command(buf: Buffer, at: number): number | 'format' | { readonly refusal: string } {
    if (buf[at] !== ASTERISK) return 'format';
    const result = this.#parser.parse(this.#request, buf, at, buf.length);
    if (result === NEED_MORE) return at;
    if (result !== PARSED || this.#request.argc < 1) return 'format';
    const { end } = this.#parser;
    const refusal = this.#target.refusal(this.#request);
    if (refusal !== undefined) return { refusal };
    this.#target.run(buf, at, end - at);
    return end;
  }
}

function endOfLine(buf: Buffer, at: number): number {
  const end = buf.indexOf(LINE_END, at);
  return end < 0 ? at : end + 1;
}
