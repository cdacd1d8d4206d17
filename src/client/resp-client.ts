/**
 * One connection to one node: requests in order, replies in order, pushes aside. A connection that failed once stays
 * closed; whoever wants another one connects again.
 */
import type { Socket } from 'node:net';
import {
  PushReply,
  REPLY_MALFORMED,
  REPLY_UNFINISHED,
  type Reply,
  ReplyError,
  ReplyScanner,
  decodeReply,
  encodeRequest,
} from '../resp/index.ts';
import { formatAddress } from './address.ts';
import { type SocketOptions, connectSocket, reasonOf } from './connect-socket.ts';
import { ClientError } from './errors.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { RequestBuffer } from './request-buffer.ts';

export type Argument = string | number | Buffer;

export interface ConnectOptions extends SocketOptions {
  readonly username?: string;
  readonly password?: string;
  /** Protocol version; default 2. */
  readonly resp?: 2 | 3;
  /** Database to select; default 0. */
  readonly db?: number;
}

export type PushHandler = (push: PushReply) => void;

/** Replies as they came: reply `i` is `buf[starts[i], ends[i])`. The bytes are the caller's. */
export interface RawReplies {
  readonly buf: Buffer;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Replies as they came, one behind the other in `buf[start, end)`. The bytes are the caller's. */
export interface ReplyBlock {
  readonly buf: Buffer;
  readonly start: number;
  readonly end: number;
  /** Error replies among them. */
  readonly errorCount: number;
  /** Sizes of the shortest and the longest one, as they came. */
  readonly shortestBytes: number;
  readonly longestBytes: number;
  /** Where the last one starts. */
  readonly lastStart: number;
}

/** Requests that were sent in one write; their replies are handed over together. */
interface Batch {
  readonly count: number;
  /** Moved on with every piece of the replies. */
  deadlineMs: number;
  doneCount: number;
  /** Where each reply is, for who wants to know. */
  positions: { starts: number[]; ends: number[] } | undefined;
  errorCount: number;
  shortestBytes: number;
  longestBytes: number;
  lastStart: number;
  readonly resolve: (buf: Buffer, start: number, end: number, batch: Batch) => void;
  readonly reject: (error: Error) => void;
}

/** First byte of an out-of-band message, and of an error. */
const PUSH = 0x3e;
const MINUS = 0x2d;
/** A port for TLS just hangs up on who does not speak it. */
const SILENT_HINT = ' before any answer; if TLS is spoken there, say --tls or rediss://';

export class RespClient {
  /** `host:port`, for messages. */
  readonly name: string;
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #waiting: Batch[] = [];
  readonly #scanner: ReplyScanner = new ReplyScanner();
  readonly #received: ReceiveBuffer;
  #timer: NodeJS.Timeout | undefined;
  #failure: ClientError | undefined;
  #onPush: PushHandler | undefined;

  private constructor(socket: Socket, received: ReceiveBuffer, options: ConnectOptions) {
    this.#received = received;
    this.name = formatAddress(options);
    this.#socket = socket;
    this.#timeoutMs = options.timeoutMs;
    let hint = options.tls === undefined || options.tls === false ? SILENT_HINT : '';
    received.onArrival = () => {
      hint = '';
      this.#take();
      this.#makeRoom();
    };
    socket.setNoDelay(true);
    socket.on('error', (error) => this.#fail('CLOSED', reasonOf(error), error));
    socket.on('close', () => this.#fail('CLOSED', `the connection ended${hint}`));
  }

  /**
   * Connects, authenticates and selects the database. Throws ClientError `CONNECT_FAILED` or `REFUSED`.
   */
  static async connect(options: ConnectOptions): Promise<RespClient> {
    const received = new ReceiveBuffer();
    const socket = await connectSocket(options, {
      buffer: () => received.room,
      callback: (count) => {
        received.arrived(count);
        return true;
      },
    });
    const client = new RespClient(socket, received, options);
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
  async pipeline(commands: readonly (readonly Argument[])[]): Promise<Reply[]> {
    if (commands.length === 0) return [];
    const { buf, starts } = await this.exchange(encodeAll(commands), commands.length);
    const replies: Reply[] = [];
    for (const start of starts) {
      const decoded = decodeReply(buf, start);
      if (decoded.kind !== 'value') {
        this.#fail('PROTOCOL', decoded.kind === 'malformed' ? decoded.reason : 'a cut reply');
        throw this.#failure;
      }
      replies.push(decoded.value);
    }
    return replies;
  }

  /**
   * Sends `bytes`, which hold `count` requests, at least one; answers their replies undecoded. Rejects as `call` does, but
   * not for error replies.
   */
  exchange(bytes: Buffer, count: number): Promise<RawReplies> {
    const positions = { starts: [], ends: [] };
    return this.#send(bytes, count, positions, (buf) => ({ buf, ...positions }));
  }

  /**
   * The same without where each reply is, which costs least for each command; `locateReplies` tells that afterwards. For
   * connections of RESP2, where nothing else comes in between.
   */
  exchangeBlock(bytes: Buffer, count: number): Promise<ReplyBlock> {
    return this.#send(bytes, count, undefined, (buf, start, end, batch) => {
      const { errorCount, shortestBytes, longestBytes, lastStart } = batch;
      return { buf, start, end, errorCount, shortestBytes, longestBytes, lastStart };
    });
  }

  #send<Answer>(
    bytes: Buffer,
    count: number,
    positions: Batch['positions'],
    answer: (...taken: Parameters<Batch['resolve']>) => Answer,
  ): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const deadlineMs = performance.now() + this.#timeoutMs;
      this.#waiting.push({
        count,
        deadlineMs,
        positions,
        doneCount: 0,
        errorCount: 0,
        shortestBytes: Number.MAX_SAFE_INTEGER,
        longestBytes: 0,
        lastStart: 0,
        resolve: (...taken) => resolve(answer(...taken)),
        reject,
      });
      this.#socket.write(bytes);
      this.#watch();
    });
  }

  /** Reads nothing until `readOn`; replies wait at the system, and their time goes on. */
  rest(): void {
    this.#socket.pause();
  }

  readOn(): void {
    this.#socket.resume();
  }

  /** Ends the connection at once; what waits for a reply is rejected with `CLOSED`. */
  close(): void {
    this.#fail('CLOSED', 'closed by us');
  }

  #take(): void {
    const received = this.#received;
    const { bytes, limit } = received;
    while (received.at < limit) {
      const end = this.#scanner.scan(bytes, received.at, limit);
      if (end === REPLY_UNFINISHED) break;
      if (end === REPLY_MALFORMED) return this.#fail('PROTOCOL', 'bytes that are no reply');
      this.#took(received.at, end);
      if (this.#failure !== undefined) return;
    }
    const [oldest] = this.#waiting;
    if (oldest !== undefined) oldest.deadlineMs = performance.now() + this.#timeoutMs;
  }

  /** Replies of an unfinished batch stay together. */
  #makeRoom(): void {
    const moved = this.#received.makeRoom(this.#scanner.neededBytes);
    const positions = this.#waiting[0]?.positions;
    if (positions !== undefined && moved > 0) {
      positions.starts = positions.starts.map((start) => start - moved);
      positions.ends = positions.ends.map((end) => end - moved);
    }
  }

  /** A whole reply or push stands in the bytes from `start` to `end`. */
  #took(start: number, end: number): void {
    const received = this.#received;
    const { bytes } = received;
    received.at = end;
    if (bytes[start] === PUSH) return this.#takePush(start, end);
    const [batch] = this.#waiting;
    if (batch === undefined) return this.#fail('PROTOCOL', 'a reply nobody asked for');
    batch.positions?.starts.push(start);
    batch.positions?.ends.push(end);
    if (bytes[start] === MINUS) batch.errorCount++;
    const size = end - start;
    if (size > batch.longestBytes) batch.longestBytes = size;
    if (size < batch.shortestBytes) batch.shortestBytes = size;
    if (++batch.doneCount < batch.count) return;
    batch.lastStart = start;
    this.#waiting.shift();
    const { from } = received;
    received.from = end;
    batch.resolve(bytes, from, end, batch);
    if (this.#waiting.length === 0) this.#watch();
  }

  #takePush(start: number, end: number): void {
    const decoded = decodeReply(this.#received.bytes, start);
    if (decoded.kind !== 'value') return this.#fail('PROTOCOL', 'a malformed push');
    // Between the replies of a batch it stays where it is.
    if ((this.#waiting[0]?.doneCount ?? 0) === 0) this.#received.from = end;
    if (decoded.value instanceof PushReply) this.#onPush?.(decoded.value);
  }

  /** Keeps one timer while a reply is awaited, which looks at the oldest request; it keeps the process alive meanwhile. */
  #watch(): void {
    const [oldest] = this.#waiting;
    if (oldest === undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else if (this.#timer === undefined) {
      const leftMs = Math.max(0, oldest.deadlineMs - performance.now());
      this.#timer = setTimeout(() => this.#checkTime(), Math.ceil(leftMs));
    }
  }

  #checkTime(): void {
    this.#timer = undefined;
    const [oldest] = this.#waiting;
    if (oldest !== undefined && performance.now() >= oldest.deadlineMs) {
      this.#fail('TIMEOUT', `no reply within ${this.#timeoutMs} ms`);
    } else {
      this.#watch();
    }
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

/** Where each reply of a block is. */
export function locateReplies({ buf, start, end }: ReplyBlock): RawReplies {
  const scanner = new ReplyScanner();
  const [starts, ends]: [number[], number[]] = [[], []];
  for (let at = start; at < end;) {
    starts.push(at);
    at = scanner.scan(buf, at, end);
    ends.push(at);
  }
  return { buf, starts, ends };
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

function encodeAll(commands: readonly (readonly Argument[])[]): Buffer {
  const [first] = commands;
  if (commands.length === 1 && first !== undefined) return encodeRequest(first.map(toBytes));
  const out = new RequestBuffer();
  for (const args of commands) {
    out.begin(args.length);
    for (const argument of args) {
      if (Buffer.isBuffer(argument)) out.argument(argument, 0, argument.length);
      else out.text(String(argument));
    }
  }
  return out.take();
}

/** An argument as it goes over the wire. */
export function toBytes(argument: Argument): Buffer {
  return Buffer.isBuffer(argument) ? argument : Buffer.from(String(argument));
}
