/** A client's connection: what comes is kept as bytes, replies and pushes alike, until somebody takes it. */
import { type Socket, connect } from 'node:net';
import { ConnectionLost } from '../fuzz-commands/connection.ts';
import type { Step } from '../fuzz-commands/program.ts';
import { encodeSteps } from '../fuzz-commands/wire.ts';

export class Connection {
  readonly #socket: Socket;
  readonly #port: number;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #isOpen = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#port = socket.localPort ?? 0;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#receivedBytes += chunk.length;
    });
    // A reset connection is closed as well.
    socket.on('error', () => undefined);
    socket.on('end', () => (this.#isOpen = false));
    socket.on('close', () => (this.#isOpen = false));
  }

  /** Throws `ConnectionLost` when nobody listens. */
  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('error', (error) => reject(new ConnectionLost(error.message)));
      socket.once('connect', () => resolve(new Connection(socket)));
    });
  }

  /** By which the server's CLIENT LIST knows it. */
  get port(): number {
    return this.#port;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** In all, since it was opened. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** What came since the last `forget`. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  forget(): void {
    this.#received = [];
  }

  /** Gives how many bytes were sent. */
  send(step: Step): number {
    const bytes = encodeSteps([step]);
    this.#socket.write(bytes);
    return bytes.length;
  }

  close(): void {
    this.#isOpen = false;
    this.#socket.destroy();
  }
}
