/**
 * Addresses as users write them: `host:port`, `host`, `:port`, `redis://[user[:password]@]host[:port][/db]` and
 * `rediss://` for TLS. Passwords appear in no message and in no text made here.
 */
import { ClientError } from './errors.ts';

export const DEFAULT_PORT = 6379;
const DEFAULT_HOST = '127.0.0.1';
const PORT_MAX = 65535;

/** How a TLS connection is checked and by what we are known there. `ca`, `cert` and `key` are PEM texts. */
export interface TlsOptions {
  /** The authorities that are trusted; default: those of the runtime. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  /** Whether the certificate must be of that very host; default true. */
  readonly checksHost?: boolean;
  /** Accepts any certificate; default false. */
  readonly isInsecure?: boolean;
}

export interface NodeAddress {
  /** Name or IP address; IPv6 without brackets. */
  readonly host: string;
  /** In [1, 65535]. */
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean | TlsOptions;
  /** Database number, 0 when not said. */
  readonly db: number;
}

/**
 * What holds for addresses beside their own text: `REDIS_URL` names seeds, `REDISCLI_AUTH` the password where no address
 * has one, and `tls` how TLS is spoken, also with those that are no URL.
 */
export interface AddressEnvironment {
  readonly REDIS_URL?: string | undefined;
  readonly REDISCLI_AUTH?: string | undefined;
  readonly tls?: TlsOptions | undefined;
}

/** One address. Throws ClientError `BAD_ADDRESS` that says what is wrong. */
export function parseAddress(text: string, env: AddressEnvironment = {}): NodeAddress {
  const isUrl = /^[a-z]+:\/\//i.test(text);
  const written = isUrl ? parseUrl(text) : parsePlain(text);
  const isTls = isUrl ? written.tls !== false : env.tls !== undefined;
  const address = { ...written, tls: isTls && (env.tls ?? true) };
  if (address.password !== undefined || !env.REDISCLI_AUTH) return address;
  return { ...address, password: env.REDISCLI_AUTH };
}

/**
 * Seeds from the arguments, each of which may hold several separated by commas; from `REDIS_URL` when there are none.
 * Throws ClientError `BAD_ADDRESS`, also when there is no seed at all.
 */
export function parseSeeds(
  texts: readonly string[],
  env: AddressEnvironment = {},
): readonly NodeAddress[] {
  const parts = splitList(texts.length > 0 ? texts : [env.REDIS_URL ?? '']);
  if (parts.length === 0) {
    throw new ClientError(
      'BAD_ADDRESS',
      'No address given: name a node as host:port or set REDIS_URL',
    );
  }
  return parts.map((part) => parseAddress(part, env));
}

/** `host:port`, an IPv6 host in brackets. */
export function formatAddress(address: { readonly host: string; readonly port: number }): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

function splitList(texts: readonly string[]): string[] {
  return (
    texts
      // In a URL a comma may belong to the password; only one before another URL ends it.
      .flatMap((text) => text.split(text.includes('://') ? /,(?=\s*[a-z]+:\/\/)/i : ','))
      .map((part) => part.trim())
      .filter((part) => part !== '')
  );
}

function parsePlain(text: string): NodeAddress {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^\s:[\]@/]*))(?::(\d+))?$/i.exec(text);
  if (match === null || text === '') throw bad(text, 'write host:port');
  const host = match[1] ?? match[2] ?? '';
  return {
    host: host === '' ? DEFAULT_HOST : host,
    port: match[3] === undefined ? DEFAULT_PORT : portOf(match[3], text),
    tls: false,
    db: 0,
  };
}

function parseUrl(text: string): NodeAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw bad(text, 'not a URL');
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw bad(text, 'only redis:// and rediss:// are known');
  }
  const path = url.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(path)) throw bad(text, 'the path is not a database number');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const username = decoded(url.username, text);
  const password = decoded(url.password, text);
  return {
    host: host === '' ? DEFAULT_HOST : host,
    port: url.port === '' ? DEFAULT_PORT : portOf(url.port, text),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    tls: url.protocol === 'rediss:',
    db: path === '' ? 0 : Number(path),
  };
}

function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw bad(text, 'a percent sign is not followed by two hexadecimal digits', error);
  }
}

function portOf(digits: string, text: string): number {
  const port = Number(digits);
  if (port < 1 || port > PORT_MAX) throw bad(text, `the port is not in 1 to ${PORT_MAX}`);
  return port;
}

function bad(text: string, reason: string, cause?: unknown): ClientError {
  return new ClientError(
    'BAD_ADDRESS',
    `Cannot read address "${redacted(text)}": ${reason}`,
    cause,
  );
}

/** The text without what may be a password: all before an `@`, or all of a URL that has none. */
function redacted(text: string): string {
  const at = text.lastIndexOf('@');
  const scheme = /^[a-z]+:\/\//i.exec(text)?.[0] ?? '';
  if (at < 0) return scheme === '' ? text : `${scheme}***`;
  return `${scheme}***${text.slice(at)}`;
}
