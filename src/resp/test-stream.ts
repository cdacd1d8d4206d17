/** Drives a request parser over a stream in pieces, keeping unfinished bytes as a client connection does. */
import {
  EMPTY,
  MALFORMED,
  NEED_MORE,
  Request,
  RequestParser,
  type RequestParserOptions,
} from './index.ts';

export const OPTIONS: RequestParserOptions = {
  bulkBytesMax: 512 * 1024 * 1024,
  splitInline: (line) => {
    if (line.includes('"')) return undefined;
    return line.split(' ').filter((word) => word !== '');
  },
};

export interface Heard {
  readonly requests: readonly (readonly string[])[];
  /** Why the stream ended; undefined while it goes on. */
  readonly error: string | undefined;
  /** Bytes that wait for more. */
  readonly waiting: number;
}

export interface HearOptions {
  readonly isAuthenticated?: boolean;
  readonly parser?: RequestParserOptions;
}

/** What a fresh parser makes of the pieces. */
export function hear(pieces: readonly Buffer[], options: HearOptions = {}): Heard {
  const parser = new RequestParser(options.parser ?? OPTIONS);
  parser.isAuthenticated = options.isAuthenticated ?? true;
  const request = new Request();
  const requests: string[][] = [];
  let kept: Buffer = Buffer.alloc(0);
  for (const piece of pieces) {
    // Stale bytes lie behind the limit, as in a reused buffer; they must not be read.
    const buf = Buffer.concat([kept, piece, STALE]);
    const limit = buf.length - STALE.length;
    let at = 0;
    while (at < limit) {
      const result = parser.parse(request, buf, at, limit);
      if (result === NEED_MORE) break;
      if (result === MALFORMED) return { requests, error: parser.error, waiting: limit - at };
      if (result !== EMPTY) requests.push(texts(request));
      at = parser.end;
    }
    kept = Buffer.from(buf.subarray(at, limit));
    // The request object is shared between connections: another one uses it in between.
    request.load(['another', 'connection', 'here']);
  }
  return { requests, error: undefined, waiting: kept.length };
}

const STALE: Buffer = Buffer.from('\r\n*1\r\n$5\r\nSTALE\r\n');

function texts(request: Request): string[] {
  return Array.from({ length: request.argc }, (_, i) => request.text(i));
}

/** Cuts `bytes` at the given places, in any order. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...places.map((place) => place % (bytes.length + 1)), bytes.length];
  sorted.sort((a, b) => a - b);
  let from = 0;
  return sorted.map((to) => {
    const piece = bytes.subarray(from, to);
    from = to;
    return piece;
  });
}
