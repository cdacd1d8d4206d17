/**
 * Certificates for tests: an authority, what it signed for servers and for clients, and a stranger who signed himself.
 * They are worth nothing elsewhere and last a hundred years.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type TlsFile = 'ca' | 'cert' | 'key' | 'clientCert' | 'clientKey' | 'strangerCert' | 'strangerKey';

function path(name: string): string {
  return join(import.meta.dirname, 'tls', name);
}

export const TLS_FILES: Readonly<Record<TlsFile, string>> = {
  ca: path('ca.crt'),
  cert: path('server.crt'),
  key: path('server.key'),
  clientCert: path('client.crt'),
  clientKey: path('client.key'),
  strangerCert: path('stranger.crt'),
  strangerKey: path('stranger.key'),
};

/** A server that speaks TLS alone, also to its peers. */
export const TLS_CONFIG: readonly string[] = [
  `tls-cert-file ${TLS_FILES.cert}`,
  `tls-key-file ${TLS_FILES.key}`,
  `tls-ca-cert-file ${TLS_FILES.ca}`,
  'tls-replication yes',
];

/** Flags of our tools and of redis-cli alike. */
export const TLS_FLAGS: readonly string[] = [
  '--tls',
  '--cacert',
  TLS_FILES.ca,
  '--cert',
  TLS_FILES.clientCert,
  '--key',
  TLS_FILES.clientKey,
];

export function tlsClient(): { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } {
  const { ca, clientCert, clientKey } = TLS_FILES;
  return { ca: readFileSync(ca), cert: readFileSync(clientCert), key: readFileSync(clientKey) };
}
