/**
 * The arguments of REPLCONF: pairs of an option and its value, in which a replica introduces itself and acknowledges.
 * Source: 7.0 replication.c, replconfCommand().
 */
import { NOT_INTEGER, parseInt64, upToZero } from '../base/index.ts';
import type { ReplicaSession } from './session.ts';

export type ReplconfResult =
  /** Answer `+OK`. */
  | { readonly kind: 'ok' }
  /** Answer `-` and this text. */
  | { readonly kind: 'error'; readonly text: string }
  /** A replica has applied the stream up to here. No answer. */
  | { readonly kind: 'ack'; readonly offset: number }
  /** A master wants to know what we have applied. No answer, but an acknowledgement at once. */
  | { readonly kind: 'getAck' };

/** An announced address longer than this is refused. */
const IP_SIZE_MAX = 255;
const NOT_A_FLAG = 'ERR value is out of range, value must between 0 and 1';
const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';

/** Takes `args` (what follows the command's name) into `session`, up to the first that is wrong. */
export function applyReplconf(session: ReplicaSession, args: readonly Buffer[]): ReplconfResult {
  if (args.length % 2 !== 0) return { kind: 'error', text: 'ERR syntax error' };
  for (let i = 0; i < args.length; i += 2) {
    const result = applyOption(session, args[i]!, args[i + 1]!);
    if (result.kind !== 'ok') return result;
  }
  return { kind: 'ok' };
}

function applyOption(session: ReplicaSession, option: Buffer, value: Buffer): ReplconfResult {
  const name = option.toString('latin1').toLowerCase();
  const { needs } = session;
  switch (name) {
    case 'listening-port': {
      const port = integer(value);
      if (port === undefined) return { kind: 'error', text: NOT_AN_INTEGER };
      session.listeningPort = port;
      return { kind: 'ok' };
    }
    case 'ip-address': {
      if (value.length > IP_SIZE_MAX) {
        const text = `ERR REPLCONF ip-address provided by replica instance is too long: ${value.length} bytes`;
        return { kind: 'error', text };
      }
      session.announcedIp = value.toString('latin1');
      return { kind: 'ok' };
    }
    case 'capa': {
      const capability = value.toString('latin1').toLowerCase();
      if (capability === 'eof') needs.eof = true;
      if (capability === 'psync2') needs.psync2 = true;
      return { kind: 'ok' };
    }
    case 'ack': {
      const offset = integer(value);
      return { kind: 'ack', offset: offset ?? 0 };
    }
    case 'getack':
      return { kind: 'getAck' };
    case 'rdb-only': {
      const flag = integer(value);
      if (flag === undefined) return { kind: 'error', text: NOT_AN_INTEGER };
      if (flag !== 0 && flag !== 1) return { kind: 'error', text: NOT_A_FLAG };
      needs.rdbOnly = flag === 1;
      return { kind: 'ok' };
    }
    case 'rdb-filter-only':
      return applyFilter(session, value.toString('latin1'));
    default:
      return {
        kind: 'error',
        text: `ERR Unrecognized REPLCONF option: ${upToZero(option.toString('latin1'))}`,
      };
  }
}

/** A list of what the snapshot shall hold; `functions` is the only word there is, and leaves out the data. */
function applyFilter(session: ReplicaSession, list: string): ReplconfResult {
  const words = list.split(/\s+/).filter((word) => word !== '');
  for (const word of words) {
    if (word.toLowerCase() !== 'functions') {
      return { kind: 'error', text: `ERR Unsupported rdb-filter-only option: ${word}` };
    }
  }
  session.needs.withoutData = true;
  return { kind: 'ok' };
}

function integer(value: Buffer): number | undefined {
  const parsed = parseInt64(value, 0, value.length);
  return parsed === NOT_INTEGER || typeof parsed === 'bigint' ? undefined : parsed;
}
