/**
 * One connection to one node: requests in order, replies in order, pushes aside. A connection that failed once stays
 * closed; whoever wants another one connects again.
 */
import { type Socket, connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PushReply, type Reply, ReplyError, decodeReply, encodeRequest } from '../resp/index.ts';
import { formatAddress } from './address.ts';
import { ClientError } from './errors.ts';

export type Argument = string | number | Buffer;

/** Limits and keys of a TLS connection. `ca`, `cert` and `key` are PEM texts. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  /** Accepts any certificate; default false. */
  readonly isInsecure?: boolean;
}

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** False or absent: plain TCP. */
  readonly tls?: boolean | TlsOptions;
  /** Bound for connecting and for each reply, milliseconds. */
  readonly timeoutMs: number;
  /** Protocol version; default 2. */
  readonly resp?: 2 | 3;
  /** Database to select; default 0. */
  readonly db?: number;
}

export type PushHandler = (push: PushReply) => void;

interface Waiting {
  readonly deadlineMs: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

const NO_BYTES: Buffer = Buffer.alloc(0);

export class RespClient {
  /** `host:port`, for messages. */
  readonly name: string;
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #waiting: Waiting[] = [];
  #pending: Buffer = NO_BYTES;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  /** Bytes that have to be there before decoding again is worth it. */
  #wantedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: ClientError | undefined;
  #onPush: PushHandler | undefined;

  private constructor(socket: Socket, options: ConnectOptions) {
    this.name = formatAddress(options);
    this.#socket = socket;
    this.#timeoutMs = options.timeoutMs;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#fail('CLOSED', error.message, error));
    socket.on('close', () => this.#fail('CLOSED', 'the connection ended'));
  }

  /**
   * Connects, authenticates and selects the database. Throws ClientError `CONNECT_FAILED` or `REFUSED`.
   */
  static async connect(options: ConnectOptions): Promise<RespClient> {
    const client = new RespClient(await openSocket(options), options);
    try {
      for (const args of greeting(options)) await client.call(...args);
    } catch (error) {
      client.close();
      if (!(error instanceof ReplyError)) throw error;
      throw new ClientError('REFUSED', `Cannot log in to ${client.name}: ${error.message}`, error);
    }
    return client;
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Messages out of band, which only RESP3 has; one handler, the last one given. */
  onPush(handler: PushHandler): void {
    this.#onPush = handler;
  }

  /**
   * One command. Text is sent as UTF-8. Rejects with the server's ReplyError, or with ClientError `TIMEOUT`, `CLOSED` or
   * `PROTOCOL`.
   */
  async call(...args: readonly Argument[]): Promise<Reply> {
    const [reply] = await this.pipeline([args]);
    if (reply instanceof ReplyError) throw reply;
    return reply ?? null;
  }

  /** Commands in one write; their replies in order, error replies among them as values. */
  pipeline(commands: readonly (readonly Argument[])[]): Promise<Reply[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const replies = commands.map(
      () =>
        new Promise<Reply>((resolve, reject) => {
          const deadlineMs = performance.now() + this.#timeoutMs;
          this.#waiting.push({ deadlineMs, resolve, reject });
        }),
    );
    this.#socket.write(Buffer.concat(commands.map((args) => encodeRequest(args.map(toBytes)))));
    this.#watch();
    return Promise.all(replies);
  }

  /** Ends the connection at once; what waits for a reply is rejected with `CLOSED`. */
  close(): void {
    this.#fail('CLOSED', 'closed by us');
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    if (this.#pending.length + this.#chunkBytes < this.#wantedBytes) return;
    const isAlone = this.#pending.length === 0 && this.#chunks.length === 1;
    let buf = isAlone ? chunk : Buffer.concat([this.#pending, ...this.#chunks]);
    this.#chunks = [];
    this.#chunkBytes = 0;
    let at = 0;
    while (at < buf.length) {
      const decoded = decodeReply(buf, at);
      if (decoded.kind === 'malformed') return this.#fail('PROTOCOL', decoded.reason);
      if (decoded.kind === 'more') break;
      at = decoded.end;
      this.#deliver(decoded.value);
    }
    buf = at === buf.length ? NO_BYTES : buf.subarray(at);
    this.#pending = buf;
    this.#wantedBytes = topBulkBytes(buf);
  }

  #deliver(reply: Reply): void {
    if (reply instanceof PushReply) {
      this.#onPush?.(reply);
      return;
    }
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return this.#fail('PROTOCOL', 'a reply nobody asked for');
    waiting.resolve(reply);
    this.#watch();
  }

  /** Keeps one timer, for the oldest request; the connection keeps the process alive only while one waits. */
  #watch(): void {
    const [oldest] = this.#waiting;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (oldest === undefined) return;
    const leftMs = Math.max(0, oldest.deadlineMs - performance.now());
    this.#timer = setTimeout(
      () => this.#fail('TIMEOUT', `no reply within ${this.#timeoutMs} ms`),
      leftMs,
    );
  }

  #fail(code: 'TIMEOUT' | 'CLOSED' | 'PROTOCOL', reason: string, cause?: unknown): void {
    if (this.#failure !== undefined) return;
    // Replies are matched by their order: after a gap none can be trusted, so the connection goes.
    this.#failure = new ClientError(code, `Cannot talk to ${this.name}: ${reason}`, cause);
    clearTimeout(this.#timer);
    this.#socket.destroy();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure);
  }
}

/** A socket that is connected, and secured where asked. Rejects with ClientError `CONNECT_FAILED`. */
export function openSocket(options: ConnectOptions): Promise<Socket> {
  const { host, port, tls = false, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const socket =
      tls === false ? connectTcp({ host, port }) : connectTls({ host, port, ...secure(tls) });
    const refuse = (reason: string, cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      const message = `Cannot connect to ${formatAddress(options)}: ${reason}`;
      reject(new ClientError('CONNECT_FAILED', message, cause));
    };
    const timer = setTimeout(() => refuse(`no answer within ${timeoutMs} ms`), timeoutMs);
    const onError = (error: NodeJS.ErrnoException): void => refuse(reasonOf(error), error);
    socket.once('error', onError);
    socket.once(tls === false ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

function secure(tls: true | TlsOptions): object {
  if (tls === true) return {};
  const { ca, cert, key, serverName, isInsecure = false } = tls;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: !isInsecure,
  };
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused, nothing listens there',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be resolved now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer',
};

function reasonOf(error: NodeJS.ErrnoException): string {
  return REASONS[error.code ?? ''] ?? (error.message === '' ? String(error.code) : error.message);
}

/** The commands that begin a connection. */
export function greeting(options: ConnectOptions): Argument[][] {
  const { username, password, resp = 2, db = 0 } = options;
  const commands: Argument[][] = [];
  const login = password === undefined ? [] : [username ?? 'default', password];
  if (resp === 3) {
    commands.push(['HELLO', 3, ...(login.length > 0 ? ['AUTH', ...login] : [])]);
  } else if (password !== undefined) {
    // Without a user name in the form that servers before ACL know too.
    commands.push(['AUTH', ...(username === undefined ? [password] : login)]);
  }
  if (db !== 0) commands.push(['SELECT', db]);
  return commands;
}

/** An argument as it goes over the wire. */
export function toBytes(argument: Argument): Buffer {
  return Buffer.isBuffer(argument) ? argument : Buffer.from(String(argument));
}

/** Bytes the bulk string at the start needs in all, so that a long one is not put together for every chunk of it. */
function topBulkBytes(buf: Buffer): number {
  if (buf[0] !== 0x24) return 0;
  const eol = buf.indexOf('\r\n');
  const size = eol < 0 ? NaN : Number(buf.toString('latin1', 1, eol));
  return Number.isSafeInteger(size) && size >= 0 ? eol + 2 + size + 2 : 0;
}
