/**
 * Commands of an append-only file for whoever applies a stream: cut out of the bytes, with what stands between them
 * (annotations) read, and an end at a moment if one is wanted.
 */
import { isAnnotation, timestampOf } from '../../aof/index.ts';
import type { StreamTarget } from '../../replication/index.ts';
import { MALFORMED, NEED_MORE, PARSED, Request, RequestParser } from '../../resp/index.ts';

/** A server may have written any bulk that it took. */
const BULK_BYTES_MAX = 0x7fffffff;
const LF = 0x0a;
const ANNOTATION_BYTES_MAX = 1024;

export class AofReader {
  /** Whether what comes is later than was wanted. */
  isOver = false;
  readonly #target: StreamTarget;
  readonly #untilUnixSeconds: number;
  readonly #request: Request = new Request();
  #parser: RequestParser = newParser();
  /** Bytes of a command that is not whole. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #needBytes = 0;
  /** Bytes that were run and are not applied: a transaction is open. */
  #openBytes = 0;

  /** Commands behind the first time stamp above `untilUnixSeconds` are left out. */
  constructor(target: StreamTarget, untilUnixSeconds: number = Infinity) {
    this.#target = target;
    this.#untilUnixSeconds = untilUnixSeconds;
  }

  /** Bytes at the end that are no whole command. */
  get restBytes(): number {
    return this.#heldBytes;
  }

  /** Another file begins: in database 0, and with a whole command. */
  begin(): void {
    this.#parser = newParser();
    this.#held = [];
    this.#heldBytes = 0;
    this.#needBytes = 0;
    const select = new Request();
    select.load(['SELECT', '0']);
    this.#target.run(select.buf, 0, 0, select);
  }

  /** Takes more of the file; says what is wrong with it, if so. */
  push(chunk: Buffer): string | undefined {
    if (this.isOver) return undefined;
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#needBytes) return undefined;
    const buf = this.#held.length === 1 ? chunk : Buffer.concat(this.#held, this.#heldBytes);
    const parser = this.#parser;
    let at = 0;
    let result: number = PARSED;
    while (at < buf.length && result !== NEED_MORE && !this.isOver) {
      if (isAnnotation(buf[at])) {
        const end = buf.indexOf(LF, at) + 1;
        if (end === 0 && buf.length - at > ANNOTATION_BYTES_MAX) return 'an annotation has no end';
        if (end === 0) break;
        this.#annotation(buf.toString('latin1', at, end).trimEnd());
        at = end;
        continue;
      }
      result = parser.parse(this.#request, buf, at, buf.length);
      if (result === MALFORMED) return parser.error;
      if (result === NEED_MORE) break;
      if (result === PARSED && this.#request.isInline) return 'text that is no command';
      if (result === PARSED) this.#run(buf, at, parser.end - at);
      at = parser.end;
    }
    this.#keep(buf.subarray(at));
    return undefined;
  }

  #annotation(line: string): void {
    const unixSeconds = timestampOf(line);
    if (unixSeconds !== undefined && unixSeconds > this.#untilUnixSeconds) this.isOver = true;
  }

  #run(buf: Buffer, at: number, size: number): void {
    const target = this.#target;
    target.run(buf, at, size, this.#request);
    this.#openBytes += size;
    if (target.isInTransaction) return;
    target.applied(buf, at, this.#openBytes);
    this.#openBytes = 0;
  }

  #keep(rest: Buffer): void {
    this.#held = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
    this.#needBytes = rest.length === 0 ? 0 : this.#parser.neededBytes;
  }
}

function newParser(): RequestParser {
  // Requests as a person types them do not stand in a log; only empty lines do.
  const splitInline = (line: string): string[] => (line.trim() === '' ? [] : [line]);
  return new RequestParser({ bulkBytesMax: BULK_BYTES_MAX, splitInline });
}
