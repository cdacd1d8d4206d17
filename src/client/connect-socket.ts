/** Connections to a node, by TCP or TLS, and why there is none. */
import { type OnReadOpts, type Socket, connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type TlsOptions, formatAddress } from './address.ts';
import { ClientError } from './errors.ts';

export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  /** False or absent: plain TCP. */
  readonly tls?: boolean | TlsOptions;
  /** Bound for connecting, and for each reply where replies are awaited, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * A connection, TLS where asked for, on which nothing was said yet; `onread` says where it reads to, in place of events.
 * Throws ClientError `CONNECT_FAILED`.
 */
export function connectSocket(options: SocketOptions, onread?: OnReadOpts): Promise<Socket> {
  const { host, port, tls = false, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const place = { host, port, ...(onread === undefined ? {} : { onread }) };
    const socket = tls === false ? connectTcp(place) : connectTls({ ...place, ...secure(tls) });
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
  const { ca, cert, key, serverName, checksHost = true, isInsecure = false } = tls;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(checksHost ? {} : { checkServerIdentity: () => undefined }),
    rejectUnauthorized: !isInsecure,
  };
}

const NO_AUTHORITY = 'its certificate is of no authority that is trusted here';

const REASONS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: NO_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: NO_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NO_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NO_AUTHORITY,
  ECONNREFUSED: 'connection refused, nothing listens there',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be resolved now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer',
};

/** Why a connection could not be made or broke, in words for users. */
export function reasonOf(error: NodeJS.ErrnoException & { readonly reason?: string }): string {
  // The message of a TLS library names its own source files.
  if (error.reason !== undefined) return `TLS: ${error.reason}`;
  return REASONS[error.code ?? ''] ?? (error.message === '' ? String(error.code) : error.message);
}
