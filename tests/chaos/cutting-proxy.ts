/** A way to a server that breaks: each connection through it ends after so many bytes towards the client. */
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

export class CuttingProxy {
  /** Connections that were cut. */
  cutCount = 0;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set<Socket>();

  /** `bytesUntilCut`: asked once for each connection; Infinity lets it live. */
  private constructor(targetPort: number, bytesUntilCut: () => number) {
    this.#server = createServer((near) => {
      const far = connect({ port: targetPort, host: '127.0.0.1' });
      let left = bytesUntilCut();
      for (const socket of [near, far]) this.#keep(socket);
      near.on('data', (bytes) => far.write(bytes));
      far.on('data', (bytes) => {
        near.write(left < bytes.length ? bytes.subarray(0, left) : bytes);
        left -= bytes.length;
        if (left > 0) return;
        this.cutCount++;
        near.end();
        far.destroy();
      });
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroySoon());
    });
  }

  static async open(targetPort: number, bytesUntilCut: () => number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(targetPort, bytesUntilCut);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // An end that breaks is what this is for.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
