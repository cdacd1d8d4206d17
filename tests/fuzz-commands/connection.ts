/** A pipelined connection: many requests in one write, their replies as bytes. */
import { type Socket, connect } from 'node:net';
import type { Step } from './program.ts';
import { encodeSteps, replyEnd } from './wire.ts';

const REPLY_TIMEOUT_MS = 20_000;

/** The connection ended or went silent with replies missing. */
export class ConnectionLost extends Error {
  override readonly name: string = 'ConnectionLost';
}

export class Pipeline {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #replies: Buffer[] = [];
  #lost: ConnectionLost | undefined;
  #waiting: { readonly isDone: () => boolean; readonly wake: () => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end('the server closed the connection'));
  }

  static open(port: number): Promise<Pipeline> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Pipeline(socket)));
    });
  }

  /** A reply for each step, in order. */
  async run(steps: readonly Step[]): Promise<readonly Buffer[]> {
    if (steps.length === 0) return [];
    this.#socket.write(encodeSteps(steps));
    await this.#until(() => this.#replies.length >= steps.length);
    return this.#replies.splice(0, steps.length);
  }

  /** What comes by itself, up to and including the first that has `mark` in it. */
  async takeUntil(mark: string): Promise<readonly Buffer[]> {
    let at = -1;
    await this.#until(() => {
      at = this.#replies.findIndex((reply) => reply.includes(mark, 0, 'latin1'));
      return at >= 0;
    });
    return this.#replies.splice(0, at + 1);
  }

  close(): void {
    this.#end('closed');
    this.#socket.destroy();
  }

  #until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#end(`no reply within ${REPLY_TIMEOUT_MS} ms`),
        REPLY_TIMEOUT_MS,
      );
      const wake = (): void => {
        if (!isDone() && this.#lost === undefined) return;
        clearTimeout(timer);
        this.#waiting = undefined;
        if (isDone()) resolve();
        else reject(this.#lost ?? new ConnectionLost('lost'));
      };
      this.#waiting = { isDone, wake };
      wake();
    });
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (at < this.#received.length) {
      const end = replyEnd(this.#received, at);
      if (end < 0) break;
      this.#replies.push(this.#received.subarray(at, end));
      at = end;
    }
    this.#received = this.#received.subarray(at);
    this.#waiting?.wake();
  }

  #end(reason: string): void {
    this.#lost ??= new ConnectionLost(reason);
    this.#waiting?.wake();
  }
}
