/**
 * The command stream of our master: cut into commands, each applied and then passed on byte for byte. The bytes of a
 * transaction are passed on when all of it was applied, so that our offset never stands inside one.
 */
import { MALFORMED, NEED_MORE, PARSED, Request, RequestParser } from '../resp/index.ts';

/** Who applies the commands. */
export interface StreamTarget {
  /** Between MULTI and EXEC. */
  readonly isInTransaction: boolean;
  /** Runs the command at `buf[at, at + size)`, whose arguments `request` has, until the call returns. */
  run(buf: Buffer, at: number, size: number, request: Request): void;
  /** All of `buf[at, at + size)` is applied: whole commands in order, without a gap to the call before. */
  applied(buf: Buffer, at: number, size: number): void;
  /** The master asks how far we are; what came before was reported applied. */
  getAck(): void;
}

const NO_BYTES: Buffer = Buffer.alloc(0);
/** A larger buffer for a command in pieces is given up when it is empty. */
const HELD_BYTES_KEPT = 1024 * 1024;
/** A master may send any bulk that it took itself. */
const BULK_BYTES_MAX = 0x7fffffff;

export class MasterStream {
  readonly #target: StreamTarget;
  #parser: RequestParser = createParser();
  readonly #request: Request = new Request();
  /** Received and not passed on: `#held[0, #heldSize)`, of which `#runSize` bytes are run already. */
  #held: Buffer = NO_BYTES;
  #heldSize = 0;
  #runSize = 0;
  /** Tells a loop over commands that one of them ended the stream. */
  #resets = 0;
  /** Where the bytes not passed on begin and those not run, after `#run`. */
  #keptAt = 0;
  #nextAt = 0;

  constructor(target: StreamTarget) {
    this.#target = target;
  }

  /** Forgets an incomplete command or transaction at the end. */
  reset(): void {
    this.#resets++;
    this.#parser = createParser();
    this.#held = NO_BYTES;
    this.#heldSize = 0;
    this.#runSize = 0;
  }

  /** Takes more of the stream; says why it is no stream of commands, if so. */
  push(buf: Buffer, at: number, size: number): string | undefined {
    const isDirect = this.#heldSize === 0;
    if (!isDirect) this.#append(buf, at, size);
    const from = isDirect ? buf : this.#held;
    const begin = isDirect ? at : 0;
    const limit = isDirect ? at + size : this.#heldSize;
    const resets = this.#resets;
    const problem = this.#run(from, begin, begin + this.#runSize, limit);
    if (problem !== undefined || resets !== this.#resets) return problem;
    this.#runSize = this.#nextAt - this.#keptAt;
    this.#keep(from, limit);
    return undefined;
  }

  #run(buf: Buffer, begin: number, from: number, limit: number): string | undefined {
    const request = this.#request;
    const target = this.#target;
    const parser = this.#parser;
    const resets = this.#resets;
    let kept = begin;
    let at = from;
    while (at < limit) {
      const result = parser.parse(request, buf, at, limit);
      if (result === NEED_MORE) break;
      if (result === MALFORMED) return parser.error;
      const { end } = parser;
      let isGetAck = false;
      if (result === PARSED) {
        if (request.isInline) return 'inline request';
        isGetAck = request.argc === 3 && request.is(0, 'replconf') && request.is(1, 'getack');
        const isPing = request.argc === 1 && request.is(0, 'ping');
        if (!isGetAck && !isPing) target.run(buf, at, end - at, request);
        if (resets !== this.#resets) return undefined;
      }
      at = end;
      if (target.isInTransaction) continue;
      target.applied(buf, kept, at - kept);
      kept = at;
      if (isGetAck) target.getAck();
    }
    this.#keptAt = kept;
    this.#nextAt = at;
    return undefined;
  }

  #append(buf: Buffer, at: number, size: number): void {
    this.#reserve(this.#heldSize + size);
    buf.copy(this.#held, this.#heldSize, at, at + size);
    this.#heldSize += size;
  }

  /** Keeps `from[#keptAt, limit)`, which may be in the held buffer itself. */
  #keep(from: Buffer, limit: number): void {
    const size = limit - this.#keptAt;
    if (from === this.#held) {
      if (size > 0) this.#held.copyWithin(0, this.#keptAt, limit);
      else if (this.#held.length > HELD_BYTES_KEPT) this.#held = NO_BYTES;
    } else if (size > 0) {
      this.#heldSize = 0;
      this.#reserve(Math.max(size, this.#runSize + this.#parser.neededBytes));
      from.copy(this.#held, 0, this.#keptAt, limit);
    }
    this.#heldSize = size;
  }

  #reserve(size: number): void {
    if (size <= this.#held.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#held.length, 4096));
    this.#held.copy(grown, 0, 0, this.#heldSize);
    this.#held = grown;
  }
}

function createParser(): RequestParser {
  // Requests as a person types them do not stand in a stream; only empty lines do.
  const splitInline = (line: string): string[] => (line.trim() === '' ? [] : [line]);
  return new RequestParser({ bulkBytesMax: BULK_BYTES_MAX, splitInline });
}
