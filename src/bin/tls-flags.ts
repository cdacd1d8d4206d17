/** The options with which every tool speaks TLS, named as redis-cli's, and what they mean for addresses. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { AddressEnvironment, TlsOptions } from '../client/index.ts';

interface TlsFlags {
  readonly tls?: boolean;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly sni?: string;
  readonly insecure?: boolean;
}

let flags: TlsFlags = {};

/** Adds the options to the program; they may stand behind the command too. */
export function withTls(root: Command): Command {
  return root
    .option('--tls', 'speak TLS, as with rediss:// addresses; the options below mean it too')
    .option('--cacert <file>', 'trust the certificates of this authority only, for whatever host')
    .option('--cert <file>', 'our own certificate, where the servers ask for one')
    .option('--key <file>', 'the private key of our certificate')
    .option('--sni <name>', 'the name of the server that is asked for')
    .option('--insecure', 'take any certificate for good')
    .hook('preAction', () => {
      flags = root.opts<TlsFlags>();
    });
}

/**
 * What addresses go by beside their text: the process's environment and the TLS options.
 * Throws ClientError `BAD_ADDRESS` for a file that cannot be read.
 */
export async function addressEnvironment(): Promise<AddressEnvironment> {
  const { ClientError } = await import('../client/index.ts');
  const { cacert, cert, key, sni, insecure, tls } = flags;
  if ([cacert, cert, key, sni, insecure, tls].every((flag) => flag === undefined)) {
    return process.env;
  }
  const read = (option: string, path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const reason = (error as Error).message;
      throw new ClientError('BAD_ADDRESS', `Cannot read the file of ${option}: ${reason}`, error);
    }
  };
  const options: TlsOptions = {
    ...(cacert === undefined ? {} : { ca: read('--cacert', cacert), checksHost: false }),
    ...(cert === undefined ? {} : { cert: read('--cert', cert) }),
    ...(key === undefined ? {} : { key: read('--key', key) }),
    ...(sni === undefined ? {} : { serverName: sni }),
    ...(insecure === true ? { isInsecure: true } : {}),
  };
  return { ...process.env, tls: options };
}
