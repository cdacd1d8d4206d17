/** Redis's own texts for the client's mistakes, code first. The one catalogue. */
import { upToZero } from '../base/index.ts';
import type { ReplyWriter } from '../resp/index.ts';

export const ERR_SYNTAX = 'ERR syntax error';
export const ERR_NOT_INTEGER = 'ERR value is not an integer or out of range';
export const ERR_NOT_FLOAT = 'ERR value is not a valid float';
export const ERR_NO_SUCH_KEY = 'ERR no such key';
export const ERR_WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
export const ERR_INDEX_RANGE = 'ERR index out of range';
export const ERR_DB_RANGE = 'ERR DB index is out of range';
export const ERR_SAME_OBJECT = 'ERR source and destination objects are the same';
export const ERR_NO_AUTH = 'NOAUTH Authentication required.';
export const ERR_READONLY = "READONLY You can't write against a read only replica.";
export const ERR_MASTER_DOWN =
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
export const ERR_NO_REPLICAS = 'NOREPLICAS Not enough good replicas to write.';
export const ERR_SHUTDOWN = 'ERR Errors trying to SHUTDOWN. Check logs.';

/** `reason` in the system's words. */
export function aofMisconfigured(reason: string): string {
  return `MISCONF Errors writing to the AOF file: ${reason}`;
}

export const ERR_MISCONF: string =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. " +
  'Commands that may modify the data set are disabled, because this instance is configured to report errors during ' +
  'writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details ' +
  'about the RDB error.';
export const ERR_LOADING = 'LOADING Redis is loading the dataset in memory';
export const ERR_EXEC_ABORT = 'EXECABORT Transaction discarded because of previous errors.';
export const ERR_OOM = "OOM command not allowed when used memory > 'maxmemory'.";
export const ERR_CLUSTER_DISABLED = 'ERR This instance has cluster support disabled';

/** `name` is the command's full name. */
export function wrongArity(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}

/** A subcommand that takes a few forms, in none of them. `name` is the argument as it came, `container` in capitals. */
export function unknownUse(name: string, container: string): string {
  return `ERR unknown subcommand or wrong number of arguments for '${shown(name)}'. Try ${container} HELP.`;
}

/** As much of an argument as errors show: up to a zero byte, and no more than 128 bytes. */
export function shown(argument: string, bytesMax: number = SHOWN_BYTES_MAX): string {
  return upToZero(argument).slice(0, bytesMax);
}

/** Source: 7.0 behaviour. */
export const SHOWN_BYTES_MAX = 128;

/** Answers an error; for parsers, which return nothing then. */
export function refuse(reply: ReplyWriter, error: string): undefined {
  reply.error(error);
}
