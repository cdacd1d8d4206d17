/**
 * What may keep a script from running at all, by what it says of itself. Commands are checked by their flags before; this
 * is for scripts in transactions, too. Source: behaviour of redis-server 7.0.15.
 */
import type { DispatchHost } from '../dispatch-host.ts';
import {
  SCRIPT_ALLOW_OOM,
  SCRIPT_ALLOW_STALE,
  SCRIPT_NO_CLUSTER,
  SCRIPT_NO_WRITES,
  SCRIPT_UNDECLARED,
} from './script-flags.ts';

const ERR_NO_CLUSTER = "ERR Can not run script on cluster, 'no-cluster' flag is set.";
const ERR_STALE =
  "MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set on the script.";
const ERR_STALE_UNDECLARED =
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
const ERR_READ_ONLY_CALL = 'ERR Can not execute a script with write flag using *_ro command.';
const ERR_READONLY = 'READONLY You can not run script with write flag on readonly replica.';
const ERR_NO_REPLICAS = 'NOREPLICAS Not enough good replicas to write.';
const ERR_OOM =
  "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'";

export interface ScriptCall {
  readonly flags: number;
  /** EVAL_RO and the like. */
  readonly isReadOnly: boolean;
  /** Called by our master's stream, or by data that is loaded. */
  readonly mustObey: boolean;
  readonly isOutOfMemory: boolean;
}

/** The error that answers the call; undefined to run it. */
export function scriptRefusal(host: DispatchHost, call: ScriptCall): string | undefined {
  const { flags, mustObey } = call;
  if ((flags & SCRIPT_UNDECLARED) !== 0) return host.isStale ? ERR_STALE_UNDECLARED : undefined;
  if ((flags & SCRIPT_NO_CLUSTER) !== 0 && host.cluster !== undefined) return ERR_NO_CLUSTER;
  if ((flags & SCRIPT_ALLOW_STALE) === 0 && host.isStale) return ERR_STALE;
  if ((flags & SCRIPT_NO_WRITES) === 0) {
    if (call.isReadOnly) return ERR_READ_ONLY_CALL;
    const text = mustObey ? undefined : writeRefusal(host);
    if (text !== undefined) return text;
  }
  const needsRoom = (flags & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES)) === 0;
  return needsRoom && call.isOutOfMemory && !mustObey ? ERR_OOM : undefined;
}

function writeRefusal(host: DispatchHost): string | undefined {
  if (host.replication.isReplica) {
    return host.settings['replica-read-only'] ? ERR_READONLY : undefined;
  }
  const failure = host.diskFailure();
  if (failure !== undefined) return failure;
  return host.hasEnoughReplicas ? undefined : ERR_NO_REPLICAS;
}
