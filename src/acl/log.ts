/** The last refusals, as ACL LOG shows them: equal ones in a row of time are one entry. */
import type { UnixMs } from '../base/index.ts';

export type AclLogReason = 'command' | 'key' | 'channel' | 'auth';
export type AclLogContext = 'toplevel' | 'multi' | 'lua';

/** One refusal. */
export interface AclRefusal {
  readonly reason: AclLogReason;
  readonly context: AclLogContext;
  /** The command, key or channel; of a login the command that asked for it. */
  readonly object: Buffer;
  readonly userName: string;
  /** The client's line of CLIENT LIST. */
  readonly clientInfo: string;
}

export interface AclLogEntry extends AclRefusal {
  readonly count: number;
  readonly at: UnixMs;
}

/** Entries further apart are not the same. Source: 7.0 acl.c, ACL_LOG_GROUPING_MAX_TIME_DELTA. */
const GROUPING_MS = 60_000;
/** How many of the last entries are looked at for an equal one. */
const LOOKED_AT = 10;

export class AclLog {
  #entries: AclLogEntry[] = [];

  /** Newest first. */
  get entries(): readonly AclLogEntry[] {
    return this.#entries;
  }

  /** `max` is `acllog-max-len`. */
  add(refusal: AclRefusal, now: UnixMs, max: number): void {
    const at = this.#entries
      .slice(0, LOOKED_AT)
      .findIndex((entry) => isSame(entry, refusal) && now - entry.at <= GROUPING_MS);
    const [known] = at < 0 ? [] : this.#entries.splice(at, 1);
    this.#entries.unshift({ ...refusal, count: (known?.count ?? 0) + 1, at: now });
    if (this.#entries.length > max) this.#entries.length = max;
  }

  clear(): void {
    this.#entries = [];
  }
}

function isSame(one: AclRefusal, other: AclRefusal): boolean {
  return (
    one.reason === other.reason &&
    one.context === other.context &&
    one.userName === other.userName &&
    one.object.equals(other.object)
  );
}
