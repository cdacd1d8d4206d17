/** Keys, certificates and what else the directives `tls-*` say of encrypted connections. */
import { X509Certificate, constants } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ConnectionOptions,
  type SecureContextOptions,
  type SecureVersion,
  type TlsOptions,
  createSecureContext,
} from 'node:tls';
import type { Settings } from '../config/index.ts';
import { systemWords } from './system-words.ts';

/** What one reading of the files gave; connections that are made while it holds keep it. */
export interface TlsMaterial {
  /** For who connects to us. */
  readonly server: TlsOptions;
  /** For whom we connect to: a certificate of the same authorities, whatever its name. */
  readonly client: ConnectionOptions;
}

/** Why TLS cannot be had, in the words of Redis's log. */
class TlsFlaw extends Error {}

/** In the order of their age, with the option that turns each off. */
const PROTOCOLS: readonly (readonly [SecureVersion, number])[] = [
  ['TLSv1', constants.SSL_OP_NO_TLSv1],
  ['TLSv1.1', constants.SSL_OP_NO_TLSv1_1],
  ['TLSv1.2', constants.SSL_OP_NO_TLSv1_2],
  ['TLSv1.3', constants.SSL_OP_NO_TLSv1_3],
];
/** Source: 7.0 redis.conf. */
const PROTOCOLS_DEFAULT = 'TLSv1.2 TLSv1.3';

/** Who has not come to terms by then is cut off. */
const HANDSHAKE_MS_MAX = 10_000;

/** Whether anything here speaks TLS. */
export function isTlsWanted(settings: Settings): boolean {
  return settings['tls-port'] !== 0 || settings['tls-cluster'] || settings['tls-replication'];
}

/** Reads the files that the settings name. A text says why they will not do, as redis-server 7.0 logs it. */
export function readTls(settings: Settings): TlsMaterial | string {
  try {
    return materialOf(settings);
  } catch (error) {
    if (error instanceof TlsFlaw) return error.message;
    throw error;
  }
}

function materialOf(settings: Settings): TlsMaterial {
  const { 'tls-cert-file': certFile, 'tls-key-file': keyFile } = settings;
  if (certFile === '') throw new TlsFlaw('No tls-cert-file configured!');
  if (keyFile === '') throw new TlsFlaw('No tls-key-file configured!');
  const common = { ...authorities(settings), ...protocols(settings), ...ciphers(settings) };
  const own = identity(certFile, keyFile, settings['tls-key-file-pass']);
  const clientCertFile = settings['tls-client-cert-file'];
  const asClient =
    clientCertFile === ''
      ? own
      : identity(
          clientCertFile,
          settings['tls-client-key-file'],
          settings['tls-client-key-file-pass'],
        );
  const asked = settings['tls-auth-clients'];
  return {
    server: {
      ...common,
      ...own,
      ...diffieHellman(settings),
      honorCipherOrder: settings['tls-prefer-server-ciphers'],
      sessionTimeout: settings['tls-session-cache-timeout'],
      requestCert: asked !== 'no',
      // Who may come without a certificate may still not come with a wrong one: that is looked at later.
      rejectUnauthorized: asked === 'yes',
      handshakeTimeout: HANDSHAKE_MS_MAX,
    },
    client: {
      secureContext: createSecureContext({ ...common, ...asClient }),
      checkServerIdentity: () => undefined,
    },
  };
}

function identity(certFile: string, keyFile: string, passphrase: string): SecureContextOptions {
  const cert = read(certFile, `Failed to load certificate: ${certFile}`);
  attempt(() => createSecureContext({ cert }), `Failed to load certificate: ${certFile}`);
  const key = read(keyFile, `Failed to load private key: ${keyFile}`);
  const both = { cert, key, ...(passphrase === '' ? {} : { passphrase }) };
  attempt(() => createSecureContext(both), `Failed to load private key: ${keyFile}`);
  return both;
}

function authorities(settings: Settings): SecureContextOptions {
  const { 'tls-ca-cert-file': file, 'tls-ca-cert-dir': directory } = settings;
  if (file === '' && directory === '') {
    const isOthers = settings['tls-cluster'] || settings['tls-replication'];
    if (!isOthers && settings['tls-auth-clients'] === 'no') return {};
    throw new TlsFlaw(
      'Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, ' +
        'tls-replication or tls-auth-clients are enabled!',
    );
  }
  const what = 'Failed to configure CA certificate(s) file/directory';
  const ca: Buffer[] = file === '' ? [] : [read(file, what)];
  for (const name of directory === '' ? [] : attempt(() => readdirSync(directory), what)) {
    ca.push(read(join(directory, name), what));
  }
  // The runtime takes anything for certificates, and then knows no authority.
  for (const certificate of ca) attempt(() => new X509Certificate(certificate), what);
  return { ca };
}

function protocols(settings: Settings): SecureContextOptions {
  const words = (settings['tls-protocols'] || PROTOCOLS_DEFAULT).toLowerCase().split(/\s+/);
  const wanted = PROTOCOLS.filter(([name]) => words.includes(name.toLowerCase()));
  if (wanted.length !== new Set(words).size) {
    throw new TlsFlaw(
      "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.",
    );
  }
  const unwanted = PROTOCOLS.filter((protocol) => !wanted.includes(protocol));
  const withoutTickets = settings['tls-session-caching'] ? 0 : constants.SSL_OP_NO_TICKET;
  return {
    minVersion: wanted[0]![0],
    maxVersion: wanted.at(-1)![0],
    secureOptions: unwanted.reduce((sum, [, off]) => sum | off, withoutTickets),
  };
}

/** The runtime takes both kinds in one list. */
function ciphers(settings: Settings): SecureContextOptions {
  const { 'tls-ciphers': older, 'tls-ciphersuites': newer } = settings;
  for (const [what, list] of [
    ['ciphers', older],
    ['ciphersuites', newer],
  ] as const) {
    if (list === '') continue;
    attempt(() => createSecureContext({ ciphers: list }), `Failed to configure ${what}: ${list}`);
  }
  if (older === '' && newer === '') return {};
  const usual = constants.defaultCoreCipherList.split(':');
  const isNew = (name: string): boolean => name.startsWith('TLS_');
  return {
    ciphers: [
      newer || usual.filter(isNew).join(':'),
      older || usual.filter((name) => !isNew(name)).join(':'),
    ].join(':'),
  };
}

function diffieHellman(settings: Settings): SecureContextOptions {
  const file = settings['tls-dh-params-file'];
  if (file === '') return {};
  const what = `Failed to load DH params file: ${file}`;
  const dhparam = read(file, what);
  attempt(() => createSecureContext({ dhparam }), what);
  return { dhparam };
}

function read(path: string, what: string): Buffer {
  return attempt(() => readFileSync(path), what);
}

function attempt<T>(act: () => T, what: string): T {
  try {
    return act();
  } catch (error) {
    throw new TlsFlaw(`${what}: ${systemWords(error)}`);
  }
}
