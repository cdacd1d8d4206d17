/** The ACL of a node: where its users come from, and whom a change disconnects. */
import {
  Acl,
  AclCatalog,
  type AclCommand,
  AclLog,
  DEFAULT_USER,
  type User,
  aclFileText,
  isUserName,
  joinedRules,
  readAclFile,
} from '../acl/index.ts';
import type { MonoMs, UnixMs } from '../base/index.ts';
import {
  type AclService,
  type Command,
  FLAG_NO_AUTH,
  type LogLevel,
  type Refused,
  type Session,
  type SubscriptionKind,
  clientLine,
} from '../commands/index.ts';
import type { LoadedConfig, Settings } from '../config/index.ts';
import type { Client } from './client.ts';
import type { Files } from './ports.ts';

const NO_ACL_FILE =
  'This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.';
const FILE_AND_USERS =
  'Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid. This setup is very likely to lead to configuration errors and security holes, please define either an ACL file or declare users directly in your redis.conf, but not both.';

export interface AclHost {
  readonly settings: Settings;
  readonly now: MonoMs;
  readonly unixNow: UnixMs;
  readonly ports: { readonly files: Files };
  readonly table: { all(): Iterable<Command> };
  allClients(): Iterable<Client>;
  isInTransaction: boolean;
  log(level: LogLevel, text: string): void;
}

export class AclPart implements AclService {
  readonly acl: Acl;
  /** Who the process itself is, whatever the ACL says. */
  readonly insideUser: User;
  readonly refusals: AclLog = new AclLog();
  readonly #host: AclHost;

  constructor(host: AclHost) {
    this.#host = host;
    const catalog = new AclCatalog(Array.from(host.table.all(), aclCommand));
    this.acl = new Acl({ catalog, settings: host.settings });
    this.insideUser = this.acl.createOpen(DEFAULT_USER);
    this.acl.setDefaultPassword(host.settings.requirepass);
  }

  /** Takes the users of the configuration or of the ACL file; why the server must not start. */
  start(users: LoadedConfig['users']): string | undefined {
    const { aclfile } = this.#host.settings;
    if (aclfile !== '' && users.length > 0) return FILE_AND_USERS;
    if (aclfile !== '') {
      const failure = this.#readFile(aclfile);
      return failure && `Aborting Redis startup because of ACL errors: ${failure}`;
    }
    for (const { args } of users) {
      const failure = this.#declare(args);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  noteRefused(session: Session, { reason, object, userName, context }: Refused): void {
    const { now, unixNow, settings, isInTransaction } = this.#host;
    const isQueued = isInTransaction || session.queue !== undefined;
    this.refusals.add(
      {
        reason,
        object,
        context: context ?? (isQueued ? 'multi' : 'toplevel'),
        userName: userName ?? session.user.name,
        clientInfo: clientLine(session, now),
      },
      unixNow,
      settings['acllog-max-len'],
    );
  }

  setUser(caller: Session, name: string, rules: readonly string[]): ReturnType<Acl['set']> {
    const refused = this.acl.set(name, rules);
    const user = this.acl.find(name);
    if (refused === undefined) {
      this.#disconnect(caller, (session) => session.user === user && !mayHearAll(session));
    }
    return refused;
  }

  deleteUser(caller: Session, name: string): boolean {
    const user = this.acl.find(name);
    if (user === undefined) return false;
    this.acl.delete(name);
    this.#disconnect(caller, (session) => session.user === user);
    return true;
  }

  load(caller: Session): string | undefined {
    const { aclfile } = this.#host.settings;
    if (aclfile === '') return NO_ACL_FILE;
    const failure = this.#readFile(aclfile);
    if (failure !== undefined) return failure;
    const { defaultUser } = this.acl;
    this.#disconnect(caller, (session) => session.user !== defaultUser || !mayHearAll(session));
    return undefined;
  }

  #readFile(aclfile: string): string | undefined {
    const text = this.#host.ports.files.read(aclfile);
    if (typeof text !== 'string') {
      const reason = text?.failure ?? 'No such file or directory';
      return `Error loading ACLs, opening file '${aclfile}': ${reason}`;
    }
    const read = readAclFile(this.acl, aclfile, text);
    if ('flaw' in read) return read.flaw;
    this.acl.replaceAll(read.users);
    return undefined;
  }

  save(): string | undefined {
    const { aclfile } = this.#host.settings;
    if (aclfile === '') return NO_ACL_FILE;
    const failure = this.#host.ports.files.replace(aclfile, aclFileText(this.acl));
    if (failure === undefined) return undefined;
    this.#host.log('warning', `There was an error trying to save the ACLs: ${failure}`);
    return 'There was an error trying to save the ACLs. Please check the server logs for more information';
  }

  #declare([name = '', ...words]: readonly string[]): string | undefined {
    if (!isUserName(name)) return `Spaces not allowed in ACL usernames: '${name}'`;
    const joined = joinedRules(words);
    if ('unmatched' in joined) {
      return `Unmatched parenthesis in selector definition of the user '${name}'`;
    }
    const rules = name === DEFAULT_USER ? ['reset', ...joined.rules] : joined.rules;
    const refused = this.acl.set(name, rules);
    if (refused !== undefined) {
      return `Error loading ACL rule '${refused.rule}' for the user named '${name}': ${refused.reason}`;
    }
    if (this.acl.find(name)?.isOn !== true) {
      this.#host.log(
        'notice',
        `The user '${name}' is disabled (there is no 'on' modifier in the user description). Make sure this is not a configuration error.`,
      );
    }
    return undefined;
  }

  /** The caller gets its answer first. */
  #disconnect(caller: Session, isMeant: (client: Client) => boolean): void {
    for (const client of [...this.#host.allClients()]) {
      if (client.role === 'master' || !isMeant(client)) continue;
      if (client === caller) client.closeAfterReply();
      else client.close();
    }
  }
}

function mayHearAll(session: Session): boolean {
  const mayHear = (kind: SubscriptionKind): boolean =>
    [...session.names(kind)].every((name) =>
      session.user.allowsChannel({
        channel: Buffer.from(name, 'latin1'),
        isPattern: kind === 'pattern',
      }),
    );
  return mayHear('channel') && mayHear('shard') && mayHear('pattern');
}

function aclCommand({ fullName, flags, spec, subcommands }: Command): AclCommand {
  return {
    fullName,
    categories: spec.categories,
    isOpen: (flags & FLAG_NO_AUTH) !== 0,
    subcommands: Array.from(subcommands.values(), aclCommand),
  };
}
