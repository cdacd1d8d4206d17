/**
 * A plain RESP2 connection for tests: one command, one reply, in order. Deliberately not our own codec, so that a
 * mistake in it cannot hide itself. Text is one byte a character (latin1), so that any bytes come back as they were.
 */
import { type Socket, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { tlsClient } from './tls.ts';

export type Reply = string | number | null | Reply[] | ReplyError;

/** An error reply of the server; the message is the server's text. */
export class ReplyError extends Error {
  override readonly name: string = 'ReplyError';
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 2000;
const CALL_TIMEOUT_MS = 15_000;

export class RespConnection {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #received: Buffer = Buffer.alloc(0);
  #closedBy: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#onEnd(error));
    socket.on('close', () => this.#onEnd(new Error('connection closed')));
  }

  static open(port: number, isTls = false): Promise<RespConnection> {
    return new Promise((resolve, reject) => {
      const place = { port, host: '127.0.0.1' };
      const socket = isTls
        ? connectTls({ ...place, ...tlsClient(), checkServerIdentity: () => undefined })
        : connect(place);
      const timer = setTimeout(
        () => socket.destroy(new Error(`Cannot connect to ${port}: timed out`)),
        CONNECT_TIMEOUT_MS,
      );
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        resolve(new RespConnection(socket));
      });
    });
  }

  get isOpen(): boolean {
    return this.#closedBy === undefined;
  }

  /** The reply; an error reply rejects with ReplyError. */
  call(...args: readonly (string | number | Buffer)[]): Promise<Reply> {
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedBy);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.close(new Error(`No reply to "${String(args[0])}" in ${CALL_TIMEOUT_MS} ms`)),
        CALL_TIMEOUT_MS,
      );
      this.#waiting.push({
        resolve: (reply) => {
          clearTimeout(timer);
          if (reply instanceof ReplyError) reject(reply);
          else resolve(reply);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#socket.write(encode(args));
    });
  }

  async text(...args: readonly (string | number | Buffer)[]): Promise<string> {
    return String(await this.call(...args));
  }

  close(reason: Error = new Error('closed by the test')): void {
    this.#onEnd(reason);
    this.#socket.destroy();
  }

  #onEnd(error: Error): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = error;
    for (const each of this.#waiting.splice(0)) each.reject(error);
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    for (;;) {
      const parsed = parse(this.#received, at);
      if (parsed === undefined) break;
      at = parsed.end;
      this.#waiting.shift()?.resolve(parsed.reply);
    }
    this.#received = this.#received.subarray(at);
  }
}

function encode(args: readonly (string | number | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg), 'latin1');
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

function parse(buf: Buffer, at: number): { reply: Reply; end: number } | undefined {
  const lineEnd = buf.indexOf('\r\n', at);
  if (lineEnd < 0) return undefined;
  const line = buf.toString('latin1', at + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(buf[at] ?? 0)) {
    case '+':
      return { reply: line, end: next };
    case '-':
      return { reply: new ReplyError(line), end: next };
    case ':':
      return { reply: Number(line), end: next };
    case '$': {
      const size = Number(line);
      if (size < 0) return { reply: null, end: next };
      if (buf.length < next + size + 2) return undefined;
      return { reply: buf.toString('latin1', next, next + size), end: next + size + 2 };
    }
    case '*':
      return parseArray(buf, next, Number(line));
    default:
      throw new Error(`Cannot read reply "${line}": not RESP2`);
  }
}

function parseArray(
  buf: Buffer,
  start: number,
  count: number,
): { reply: Reply; end: number } | undefined {
  if (count < 0) return { reply: null, end: start };
  const items: Reply[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const item = parse(buf, at);
    if (item === undefined) return undefined;
    items.push(item.reply);
    at = item.end;
  }
  return { reply: items, end: at };
}
