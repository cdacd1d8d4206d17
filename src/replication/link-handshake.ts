/**
 * How a replica introduces itself, and what a master may answer.
 * Source: 7.0 replication.c, syncWithMaster(); order and form checked against redis-server 7.0.15.
 */
import type { ReplicationEvent } from './events.ts';
import { encodeCommand } from './wire.ts';

export interface LinkOptions {
  /** `replica-announce-port`, or the port that clients reach us at (the TLS one if replication runs over TLS). */
  readonly announcedPort: number;
  /** `replica-announce-ip`; empty announces none. */
  readonly announcedIp: string;
  /** Of Valkey, whose masters write for a replica that tells none what Redis 7.2 can read. Default: none is told. */
  readonly announcedVersion?: string | undefined;
  /** `masteruser`; empty for the default user. */
  readonly masterUser: string;
  /** `masterauth`; empty for none. */
  readonly masterAuth: string;
  /** `repl-timeout`. Default 60. */
  readonly timeoutSeconds: number;
}

/** An answer that is awaited. */
export type HandshakeStep = 'ping' | 'auth' | 'listening-port' | 'ip-address' | 'capa' | 'version';

/** What follows the answer to PING, in one write, and the answers it calls for. */
export function handshakeCommands(options: LinkOptions): {
  readonly steps: readonly HandshakeStep[];
  readonly bytes: Buffer;
} {
  const steps: HandshakeStep[] = [];
  const commands: Buffer[] = [];
  if (options.masterAuth !== '') {
    const user = options.masterUser === '' ? [] : [options.masterUser];
    steps.push('auth');
    commands.push(encodeCommand('AUTH', ...user, options.masterAuth));
  }
  steps.push('listening-port');
  commands.push(encodeCommand('REPLCONF', 'listening-port', String(options.announcedPort)));
  if (options.announcedIp !== '') {
    steps.push('ip-address');
    commands.push(encodeCommand('REPLCONF', 'ip-address', options.announcedIp));
  }
  steps.push('capa');
  commands.push(encodeCommand('REPLCONF', 'capa', 'eof', 'capa', 'psync2'));
  if (options.announcedVersion !== undefined) {
    steps.push('version');
    commands.push(encodeCommand('REPLCONF', 'version', options.announcedVersion));
  }
  return { steps, bytes: Buffer.concat(commands) };
}

/** A master that wants a password first, or forbids PING, is alive: that is all PING asks. */
const PING_ERRORS_FINE: readonly string[] = ['-NOAUTH', '-NOPERM', '-ERR operation not permitted'];

export interface JudgedAnswer {
  readonly mayGoOn: boolean;
  readonly event: ReplicationEvent | undefined;
}

export function judgeHandshake(step: HandshakeStep, line: string): JudgedAnswer {
  if (step === 'ping') {
    const isFine = line.startsWith('+') || PING_ERRORS_FINE.some((text) => line.startsWith(text));
    return isFine
      ? { mayGoOn: true, event: { name: 'pingAnswered' } }
      : { mayGoOn: false, event: { name: 'pingRefused', reply: line } };
  }
  if (!line.startsWith('-')) return { mayGoOn: true, event: undefined };
  if (step === 'auth') return { mayGoOn: false, event: { name: 'authRefused', reply: line } };
  return { mayGoOn: true, event: { name: 'replconfRefused', option: step, reply: line } };
}
