/** All users of a server. The default user is always there: it is who a new connection is. */
import { type AclCatalog } from './catalog.ts';
import { flawText } from './flaws.ts';
import { hasSpace } from './selector.ts';
import { User, type UserHost } from './user.ts';

export const DEFAULT_USER = 'default';
/** What the default user may do unless told otherwise. */
const DEFAULT_RULES: readonly string[] = ['+@all', '~*', '&*', 'on', 'nopass'];

/** A rule that cannot be carried out, with why. */
export interface RefusedRule {
  readonly rule: string;
  readonly reason: string;
}

export interface AclInit {
  readonly catalog: AclCatalog;
  /** `acl-pubsub-default`, read whenever a user is made or reset. */
  readonly settings: { readonly 'acl-pubsub-default': string };
}

export class Acl {
  readonly catalog: AclCatalog;
  readonly #settings: AclInit['settings'];
  readonly #users = new Map<string, User>();

  constructor({ catalog, settings }: AclInit) {
    this.catalog = catalog;
    this.#settings = settings;
    this.#users.set(DEFAULT_USER, this.createOpen(DEFAULT_USER));
  }

  get defaultUser(): User {
    return this.#users.get(DEFAULT_USER)!;
  }

  find(name: string): User | undefined {
    return this.#users.get(name);
  }

  /** All users in the order of their names. */
  users(): readonly User[] {
    return [...this.#users.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Makes or changes a user, all rules or none. */
  set(name: string, rules: readonly string[]): RefusedRule | undefined {
    const known = this.#users.get(name);
    const changed = known?.copy() ?? this.create(name);
    for (const rule of rules) {
      const flaw = changed.apply(rule);
      if (flaw !== undefined) return { rule, reason: flawText(flaw) };
    }
    // Who is logged in keeps its user, with the new rights.
    if (known === undefined) this.#users.set(name, changed);
    else known.takeOver(changed);
    return undefined;
  }

  /** A user without rights that the server does not know yet. */
  create(name: string): User {
    return new User(name, this.#host());
  }

  /** Whether there was such a user. */
  delete(name: string): boolean {
    return this.#users.delete(name);
  }

  /** Takes these users for all there are; without a default user among them it is as at the start. */
  replaceAll(users: readonly User[]): void {
    const wanted = users.find(({ name }) => name === DEFAULT_USER) ?? this.createOpen(DEFAULT_USER);
    // Connections of the default user stay, and with them who they are.
    const { defaultUser } = this;
    defaultUser.takeOver(wanted);
    this.#users.clear();
    for (const user of users) this.#users.set(user.name, user);
    this.#users.set(DEFAULT_USER, defaultUser);
  }

  /** `requirepass`: the default user's one password, or none with an empty text. */
  setDefaultPassword(password: string): void {
    const user = this.defaultUser;
    user.apply('resetpass');
    user.apply(password === '' ? 'nopass' : `>${password}`);
  }

  /** A user who may do everything without a password, whom the server does not know yet. */
  createOpen(name: string): User {
    const user = this.create(name);
    for (const rule of DEFAULT_RULES) user.apply(rule);
    return user;
  }

  #host(): UserHost {
    const settings = this.#settings;
    return {
      catalog: this.catalog,
      get opensChannels() {
        return settings['acl-pubsub-default'] === 'allchannels';
      },
    };
  }
}

export function isUserName(name: string): boolean {
  return !hasSpace(name);
}

/** Rules as they are meant: a selector that was cut at its blanks is one again; the one that never ends, if so. */
export function joinedRules(
  words: readonly string[],
): { readonly rules: readonly string[] } | { readonly unmatched: string } {
  const rules: string[] = [];
  let open: string | undefined;
  for (const word of words) {
    if (open === undefined && !word.startsWith('(')) {
      rules.push(word);
      continue;
    }
    open = open === undefined ? word : `${open} ${word}`;
    if (!word.endsWith(')')) continue;
    rules.push(open);
    open = undefined;
  }
  return open === undefined ? { rules } : { unmatched: open.split(' ', 1)[0] ?? open };
}
