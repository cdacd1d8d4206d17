/**
 * A full synchronisation for a tool: asks a node for its RDB as a replica does, hands on the bytes as they come, and
 * leaves before the stream of writes begins.
 */
import { encodeRequest } from '../resp/index.ts';
import { formatAddress } from './address.ts';
import { connectSocket } from './connect-socket.ts';
import { ClientError } from './errors.ts';
import { replyFacts } from './reply-text.ts';
import {
  type Argument,
  type ConnectOptions,
  RespClient,
  greeting,
  toBytes,
} from './resp-client.ts';

const LINE_BYTES_MAX = 4096;
/** The mark after an RDB whose size was not known before. Source: Redis replication, capability `eof`. */
const MARK_BYTES = 40;
/** Older masters do without: the stream behind the RDB is not read. */
const UNKNOWN_OPTION = '-ERR Unrecognized REPLCONF option';
const NEWLINE = 0x0a;
const EMPTY: Buffer = Buffer.alloc(0);

/** How the end of the RDB is told. */
type Ending =
  | { readonly kind: 'size'; readonly bytes: number }
  | { readonly kind: 'mark'; readonly mark: Buffer };

/**
 * Gives `take` the RDB of a node, piece by piece, each as soon as the last one is dealt with, and answers its size in
 * bytes. Rejects with ClientError; `timeoutMs` bounds the silence between two pieces.
 */
export async function downloadRdb(
  options: ConnectOptions,
  take: (piece: Buffer) => Promise<void>,
): Promise<number> {
  const version = await valkeyVersionOf(options);
  const socket = await connectSocket(options);
  const name = formatAddress(options);
  const failed = (reason: string, cause?: unknown): ClientError =>
    new ClientError('CLOSED', `Cannot read the data of ${name}: ${reason}`, cause);
  socket.setTimeout(options.timeoutMs, () =>
    socket.destroy(failed(`silent for ${options.timeoutMs} ms`)),
  );
  const requests = [
    ...greeting({ ...options, db: 0 }),
    // Only the RDB, and without a file on the master's disk where it can do that.
    ['REPLCONF', 'rdb-only', '1'],
    ['REPLCONF', 'capa', 'eof'],
    // Valkey writes for who tells no version what Redis 7.2 can read.
    ...(version === undefined ? [] : [['REPLCONF', 'version', version]]),
  ];
  const send = (commands: readonly (readonly Argument[])[]): boolean =>
    socket.write(Buffer.concat(commands.map((args) => encodeRequest(args.map(toBytes)))));
  send(requests);
  // A master refuses SYNC while it has answers for us.
  const head = new HeadReader(requests.length, () => send([['SYNC']]));
  let body: BodyReader | undefined;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      let rest = chunk;
      if (body === undefined) {
        const found = head.push(chunk);
        if (found === undefined) continue;
        if ('refusal' in found) throw new ClientError('REFUSED', `${name}: ${found.refusal}`);
        body = new BodyReader(found.ending);
        rest = found.rest;
      }
      const piece = body.push(rest);
      if (piece.length > 0) await take(piece);
      if (body.isDone) return body.bytes;
    }
  } catch (error) {
    if (error instanceof ClientError) throw error;
    if (error instanceof Error && 'syscall' in error) throw failed(error.message, error);
    throw error;
  } finally {
    socket.destroy();
  }
  throw failed('the connection ended in the middle');
}

async function valkeyVersionOf(options: ConnectOptions): Promise<string | undefined> {
  const client = await RespClient.connect({ ...options, db: 0 });
  try {
    const [info] = await client.pipeline([['INFO', 'server']]);
    return replyFacts(info).get('valkey_version');
  } finally {
    client.close();
  }
}

/** The lines before the RDB: an answer to each request, empty lines while it is being prepared, then how it ends. */
class HeadReader {
  #answers: number;
  readonly #onAnswered: () => void;
  #pending: Buffer = EMPTY;

  constructor(answers: number, onAnswered: () => void) {
    this.#answers = answers;
    this.#onAnswered = onAnswered;
  }

  push(
    chunk: Buffer,
  ): { readonly refusal: string } | { readonly ending: Ending; readonly rest: Buffer } | undefined {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const eol = this.#pending.indexOf(NEWLINE);
      if (eol < 0) {
        return this.#pending.length > LINE_BYTES_MAX
          ? { refusal: 'not a Redis server' }
          : undefined;
      }
      const line = this.#pending.toString('latin1', 0, eol).trimEnd();
      const rest = this.#pending.subarray(eol + 1);
      this.#pending = rest;
      if (line === '') continue;
      if (line.startsWith('$')) {
        const ending = endingOf(line);
        return ending === undefined ? { refusal: `answered ${line}` } : { ending, rest };
      }
      this.#answers--;
      // The answer to SYNC itself comes only when it is refused.
      const isRefusal = line.startsWith('-') && !line.startsWith(UNKNOWN_OPTION);
      if (isRefusal || this.#answers < 0) return { refusal: line.replace(/^-/, '') };
      if (this.#answers === 0) this.#onAnswered();
    }
  }
}

/** Bytes up to the end, which may be cut anywhere. */
class BodyReader {
  readonly #ending: Ending;
  /** What may be the beginning of the mark. */
  #tail: Buffer = EMPTY;
  #bytes = 0;
  #isDone = false;

  constructor(ending: Ending) {
    this.#ending = ending;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  push(chunk: Buffer): Buffer {
    const piece =
      this.#ending.kind === 'size'
        ? this.#upToSize(chunk, this.#ending)
        : this.#upToMark(chunk, this.#ending);
    this.#bytes += piece.length;
    if (this.#ending.kind === 'size') this.#isDone = this.#bytes >= this.#ending.bytes;
    return piece;
  }

  #upToSize(chunk: Buffer, { bytes }: { readonly bytes: number }): Buffer {
    return chunk.subarray(0, bytes - this.#bytes);
  }

  /** The master sends nothing after the mark before it hears of us again, so that the mark is at the very end. */
  #upToMark(chunk: Buffer, { mark }: { readonly mark: Buffer }): Buffer {
    const all = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const cut = Math.max(0, all.length - MARK_BYTES);
    this.#tail = all.subarray(cut);
    this.#isDone = this.#tail.equals(mark);
    return all.subarray(0, cut);
  }
}

function endingOf(line: string): Ending | undefined {
  const mark = /^\$EOF:(.{40})$/.exec(line)?.[1];
  if (mark !== undefined) return { kind: 'mark', mark: Buffer.from(mark, 'latin1') };
  const size = /^\$(\d{1,15})$/.exec(line)?.[1];
  return size === undefined ? undefined : { kind: 'size', bytes: Number(size) };
}
