/** What the node offers the ACL commands. */
import type { Acl, AclLog, AclLogContext } from '../acl/index.ts';
import type { Session } from './session.ts';

/** A refused call or login. */
export interface Refused {
  readonly reason: 'command' | 'key' | 'channel' | 'auth';
  readonly object: Buffer;
  /** Default: the session's. */
  readonly userName?: string;
  /** Default: what the client is doing. */
  readonly context?: AclLogContext;
}

export interface AclService {
  readonly acl: Acl;
  readonly refusals: AclLog;
  /** Notes a refusal in the log. */
  noteRefused(session: Session, refused: Refused): void;
  /** Makes or changes a user for `caller`; who listens to what it may not hear any more is disconnected. */
  setUser(caller: Session, name: string, rules: readonly string[]): ReturnType<Acl['set']>;
  /** Deletes a user and disconnects its clients; whether there was one. */
  deleteUser(caller: Session, name: string): boolean;
  /** Reads the ACL file anew and disconnects all but the default user; why it cannot, and then nothing has changed. */
  load(caller: Session): string | undefined;
  /** Writes the ACL file; why it cannot. */
  save(): string | undefined;
}
