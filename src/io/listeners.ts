/** The sockets that a node listens on. */
import { chmodSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { type TLSSocket, type TlsOptions, createServer as createTlsServer } from 'node:tls';
import type { Settings } from '../config/index.ts';
import type { Wire, WireEvents } from '../node/index.ts';
import { type HandleWire, type WireBuffers, wireOnAccepted, wireOnHandle } from './handle-wire.ts';
import { SocketWire } from './socket-wire.ts';
import { type AcceptedHandle, type ServerInside, binding } from './stream-handle.ts';
import { attempt, systemWords } from './system-words.ts';
import { type TlsWire, wireOnTls } from './tls-wire.ts';

export interface ListenTarget {
  /** The client port, or a bus port. */
  readonly port: number;
  /** As in the directive `bind`; a leading minus makes an address optional. */
  readonly bind: readonly string[];
  readonly accept: (wire: Wire) => WireEvents;
  readonly buffers: WireBuffers;
  /** tcp-backlog. */
  readonly backlog: number;
  /** tcp-keepalive, seconds; 0 for none. */
  readonly keepAliveSeconds: () => number;
  /** How a connection that comes now is encrypted; undefined for one that is not. */
  readonly tls: () => TlsOptions | undefined;
  /** Whether who comes has to go before anything is negotiated; counts him then. */
  readonly turnsAway?: () => boolean;
  /** Somebody came who is not let in, and why. */
  readonly refused: (reason: string) => void;
}

/** What the runtime adds to errors of its TLS library. */
interface SslFlaw {
  readonly library?: string;
  readonly reason?: string;
}

export class ListenError extends Error {
  override readonly name: string = 'ListenError';
  readonly address: string;
  readonly port: number;

  constructor(address: string, port: number, cause: Error) {
    super(`Could not create server TCP listening socket ${address}:${port}: ${wording(cause)}`);
    this.address = address;
    this.port = port;
    this.cause = cause;
  }
}

function wording(cause: NodeJS.ErrnoException): string {
  if (cause.code === 'EADDRINUSE') return 'bind: Address already in use';
  if (cause.code === 'EADDRNOTAVAIL') return 'bind: Cannot assign requested address';
  if (cause.code === 'EACCES') return 'bind: Permission denied';
  return cause.message;
}

/**
 * Listens on all addresses of a port.
 * @throws ListenError for an address that is not optional; those opened before are closed again
 */
export async function listen(target: ListenTarget): Promise<Server[]> {
  const servers: Server[] = [];
  for (const written of target.bind) {
    const isOptional = written.startsWith('-');
    const address = isOptional ? written.slice(1) : written;
    try {
      servers.push(await listenOn(target, address));
    } catch (error) {
      if (isOptional) continue;
      await closeAll(servers);
      throw new ListenError(address, target.port, error as Error);
    }
  }
  return servers;
}

export class UnixSocketError extends Error {
  override readonly name: string = 'UnixSocketError';
}

/**
 * The unix socket of a node, if it has one.
 * @throws UnixSocketError when it cannot be made
 */
export async function listenUnix(
  settings: Settings,
  owner: Pick<ListenTarget, 'accept' | 'buffers'>,
): Promise<Server[]> {
  const path = settings.unixsocket;
  if (path === '') return [];
  // What cannot be removed is in the way of the socket, which then says so.
  attempt(() => rmSync(path, { force: true }));
  const server = createServer({ pauseOnConnect: true });
  server.on('connection', (socket) => begin(socket, owner, path));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new UnixSocketError(`Failed opening Unix socket: bind: ${systemWords(error)}`)),
    );
    server.listen({ path, backlog: settings['tcp-backlog'] }, resolve);
  });
  takeHandles(server, (handle) => {
    beginOn(wireOnAccepted(handle, { buffers: owner.buffers, unixPath: path }), owner.accept);
    return true;
  });
  if (settings.unixsocketperm !== 0) chmodSync(path, settings.unixsocketperm);
  return [server];
}

/** Stops listening; the ports are free when the promise is fulfilled. Connections stay. */
export async function closeAll(servers: readonly Server[]): Promise<void> {
  for (const server of servers) server.close();
  // The system lets go of a closed handle at the end of the loop's turn.
  await new Promise<void>((resolve) => void setImmediate(() => setImmediate(resolve)));
}

function listenOn(target: ListenTarget, address: string): Promise<Server> {
  const isAnyV6 = address === '::*';
  const host = address === '*' ? '0.0.0.0' : isAnyV6 ? '::' : address;
  const server = createServer({ pauseOnConnect: true });
  const encryption = new Encryption(target);
  server.on('connection', (socket) => {
    socket.setNoDelay(true);
    const keepAliveSeconds = target.keepAliveSeconds();
    if (keepAliveSeconds > 0) socket.setKeepAlive(true, keepAliveSeconds * 1000);
    if (!encryption.take(socket)) begin(socket, target);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(
      { host, port: target.port, backlog: target.backlog, ipv6Only: host.includes(':') },
      () => {
        server.off('error', reject);
        // Such as no more file descriptors: that connection is lost, the next ones may do.
        server.on('error', () => undefined);
        takeHandles(server, (handle) => takePlain(target, handle));
        resolve(server);
      },
    );
  });
}

/** Whether the connection is not to be encrypted, and then it is taken. */
function takePlain(target: ListenTarget, handle: AcceptedHandle): boolean {
  if (target.tls() !== undefined) return false;
  handle.setNoDelay?.(true);
  const keepAliveSeconds = target.keepAliveSeconds();
  if (keepAliveSeconds > 0) handle.setKeepAlive?.(true, keepAliveSeconds);
  beginOn(wireOnAccepted(handle, { buffers: target.buffers, unixPath: undefined }), target.accept);
  return true;
}

/**
 * Gives `take` the connections of a server before a socket is made for each, which costs more than most clients ever ask
 * for. What it does not take goes the usual way, as everything does where the runtime is not as we know it.
 */
function takeHandles(server: Server, take: (handle: AcceptedHandle) => boolean): void {
  const { _handle: listening } = server as unknown as ServerInside;
  if (binding === undefined || typeof listening?.onconnection !== 'function') return;
  const usual = listening.onconnection;
  listening.onconnection = (error, accepted) => {
    const isTaken = accepted !== undefined && isKnown(accepted) && take(accepted);
    if (!isTaken) usual.call(listening, error, accepted);
  };
}

function isKnown(handle: AcceptedHandle): boolean {
  return typeof handle.useUserBuffer === 'function' && typeof handle.writeBuffer === 'function';
}

/** Who negotiates is no client yet, whose number `maxclients` bounds. */
const HANDSHAKES_MAX = 1000;

/** Negotiates TLS with who connects. Connections keep the keys that they began with. */
class Encryption {
  readonly #target: ListenTarget;
  #options: TlsOptions | undefined;
  #terminator: Server | undefined;
  /** Connections that are open, and those of them that have come to terms. */
  #openCount = 0;
  #settledCount = 0;

  constructor(target: ListenTarget) {
    this.#target = target;
  }

  /** Whether the connection is to be encrypted, and then it is taken over. */
  take(socket: Socket): boolean {
    const options = this.#target.tls();
    if (options === undefined) return false;
    if (this.#target.turnsAway?.() === true) {
      socket.destroy();
      return true;
    }
    if (this.#terminator === undefined || options !== this.#options) {
      this.#options = options;
      this.#terminator = this.#create(options);
    }
    if (this.#openCount - this.#settledCount >= HANDSHAKES_MAX) {
      this.#target.refused('too many handshakes at once');
      socket.destroy();
      return true;
    }
    this.#openCount++;
    socket.once('close', () => this.#openCount--);
    // A server that listens on nothing takes connections so.
    this.#terminator.emit('connection', socket);
    return true;
  }

  #create(options: TlsOptions): Server {
    const { accept, buffers, refused } = this.#target;
    const terminator = createTlsServer(options);
    terminator.on('tlsClientError', (error, socket) => {
      refused(reasonOf(error));
      // Whose time is over is not cut off otherwise.
      socket.destroy();
    });
    terminator.on('secureConnection', (socket: TLSSocket) => {
      this.#settledCount++;
      socket.once('close', () => this.#settledCount--);
      // With `tls-auth-clients optional` none is as good as the right one.
      if (options.requestCert === true && !socket.authorized && hasCertificate(socket)) {
        refused(socket.authorizationError?.toString() ?? 'certificate verify failed');
        socket.destroy();
        return;
      }
      beginOn(wireOnTls(socket, buffers) ?? new SocketWire(socket), accept);
    });
    return terminator;
  }
}

function reasonOf({ library, reason, message }: Error & SslFlaw): string {
  return reason === undefined ? message : `${library ?? 'SSL'}: ${reason}`;
}

function hasCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getPeerCertificate() ?? {}).length > 0;
}

function begin(
  socket: Socket,
  { accept, buffers }: Pick<ListenTarget, 'accept' | 'buffers'>,
  unixPath?: string,
): void {
  beginOn(wireOnHandle(socket, { buffers, unixPath }) ?? new SocketWire(socket, unixPath), accept);
}

function beginOn(wire: HandleWire | SocketWire | TlsWire, accept: ListenTarget['accept']): void {
  wire.start(accept(wire));
}
