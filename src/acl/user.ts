/** A user: whether and how it logs in, and what it may do. */
import { sha256Hex } from '../base/index.ts';
import type { AclCatalog } from './catalog.ts';
import type { RuleFlaw } from './flaws.ts';
import { type AclCall, type ChannelUse, type Denial, Selector } from './selector.ts';

/** What a user needs of the ACL it belongs to. */
export interface UserHost {
  readonly catalog: AclCatalog;
  /** `acl-pubsub-default`: whether a user that is new or reset has all channels. */
  readonly opensChannels: boolean;
}

const HASH = /^[0-9a-f]{64}$/;
/** Which denial tells most, when several selectors each have their own. */
const PROGRESS = { command: 0, key: 1, channel: 2 } as const;

export class User {
  readonly name: string;
  readonly #host: UserHost;
  #isOn = false;
  #takesAnyPassword = false;
  #sanitizes: boolean | undefined;
  /** Hashes, in the order they were added. */
  #passwords: string[] = [];
  #root: Selector;
  #more: Selector[] = [];
  #isUnrestricted = false;

  constructor(name: string, host: UserHost) {
    this.name = name;
    this.#host = host;
    this.#root = new Selector(host.catalog, host.opensChannels);
  }

  /** Whether it may do everything, which the fast path asks. */
  get isUnrestricted(): boolean {
    return this.#isUnrestricted;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Whether everybody is this user without a password. */
  get isOpen(): boolean {
    return this.#isOn && this.#takesAnyPassword;
  }

  get takesAnyPassword(): boolean {
    return this.#takesAnyPassword;
  }

  get passwords(): readonly string[] {
    return this.#passwords;
  }

  get selectors(): readonly Selector[] {
    return [this.#root, ...this.#more];
  }

  /** As ACL GETUSER lists them. */
  get flags(): readonly string[] {
    const flags = [this.#isOn ? 'on' : 'off'];
    if (this.#takesAnyPassword) flags.push('nopass');
    if (this.#sanitizes !== undefined) {
      flags.push(this.#sanitizes ? 'sanitize-payload' : 'skip-sanitize-payload');
    }
    return flags;
  }

  /** All rules in one line, as ACL LIST has them behind the name. */
  get text(): string {
    return [
      ...this.flags,
      ...this.#passwords.map((hash) => `#${hash}`),
      this.#root.text(),
      ...this.#more.map((selector) => `(${selector.text()})`),
    ].join(' ');
  }

  /** Becomes as another user is. */
  takeOver(other: User): void {
    const { catalog } = this.#host;
    this.#isOn = other.#isOn;
    this.#takesAnyPassword = other.#takesAnyPassword;
    this.#sanitizes = other.#sanitizes;
    this.#passwords = [...other.#passwords];
    this.#root = other.#root.copy(catalog);
    this.#more = other.#more.map((selector) => selector.copy(catalog));
    this.#noteChange();
  }

  copy(): User {
    const copy = new User(this.name, this.#host);
    copy.takeOver(this);
    return copy;
  }

  accepts(password: Buffer): boolean {
    if (!this.#isOn) return false;
    if (this.#takesAnyPassword) return true;
    const hash = sha256Hex(password);
    return this.#passwords.some((each) => isSame(each, hash));
  }

  /** Carries out one rule; why it cannot, if so. */
  apply(rule: string): RuleFlaw | undefined {
    const flaw = this.#apply(rule);
    this.#noteChange();
    return flaw;
  }

  /** Why no selector allows a call: what is said by the one that came furthest. */
  denial(call: AclCall): Denial | undefined {
    if (this.#isUnrestricted) return undefined;
    let told: Denial | undefined;
    for (const selector of this.selectors) {
      const denial = selector.denial(call);
      if (denial === undefined) return undefined;
      if (told === undefined || isFurther(denial, told)) told = denial;
    }
    return told;
  }

  allowsChannel(use: ChannelUse): boolean {
    return this.selectors.some((selector) => selector.allowsChannel(use));
  }

  /** Whether some selector that allows the command may read every key. */
  readsAllKeys(command: number): boolean {
    const call = { command, firstArgument: undefined, keys: [], channels: [] };
    return this.selectors.some((each) => each.readsAllKeys && each.denial(call) === undefined);
  }

  #apply(rule: string): RuleFlaw | undefined {
    switch (rule.toLowerCase()) {
      case '':
        return undefined;
      case 'on':
        this.#isOn = true;
        return undefined;
      case 'off':
        this.#isOn = false;
        return undefined;
      case 'nopass':
        this.#takesAnyPassword = true;
        this.#passwords = [];
        return undefined;
      case 'resetpass':
        this.#takesAnyPassword = false;
        this.#passwords = [];
        return undefined;
      case 'sanitize-payload':
        this.#sanitizes = true;
        return undefined;
      case 'skip-sanitize-payload':
        this.#sanitizes = false;
        return undefined;
      case 'clearselectors':
        this.#more = [];
        return undefined;
      case 'reset':
        this.#reset();
        return undefined;
      default:
        return this.#applyOther(rule);
    }
  }

  #applyOther(rule: string): RuleFlaw | undefined {
    switch (rule[0]) {
      case '>':
        return this.#addPassword(sha256Hex(Buffer.from(rule.slice(1), 'latin1')));
      case '#':
        return this.#addPassword(rule.slice(1));
      case '<':
        return this.#removePassword(sha256Hex(Buffer.from(rule.slice(1), 'latin1')));
      case '!':
        return this.#removePassword(rule.slice(1));
      case '(':
        return this.#addSelector(rule);
      default:
        return this.#root.apply(rule);
    }
  }

  #reset(): void {
    const { catalog, opensChannels } = this.#host;
    this.#isOn = false;
    this.#takesAnyPassword = false;
    this.#sanitizes = true;
    this.#passwords = [];
    this.#root = new Selector(catalog, opensChannels);
    this.#more = [];
  }

  #addPassword(hash: string): RuleFlaw | undefined {
    if (!HASH.test(hash)) return 'badHash';
    this.#takesAnyPassword = false;
    if (!this.#passwords.includes(hash)) this.#passwords.push(hash);
    return undefined;
  }

  #removePassword(hash: string): RuleFlaw | undefined {
    if (!HASH.test(hash)) return 'badHash';
    if (!this.#passwords.includes(hash)) return 'noSuchPassword';
    this.#passwords = this.#passwords.filter((each) => each !== hash);
    return undefined;
  }

  #addSelector(rule: string): RuleFlaw | undefined {
    if (!rule.endsWith(')')) return 'syntax';
    const selector = new Selector(this.#host.catalog, this.#host.opensChannels);
    for (const each of rule.slice(1, -1).split(/\s+/).filter(Boolean)) {
      const flaw = selector.apply(each);
      if (flaw !== undefined) return flaw;
    }
    this.#more.push(selector);
    return undefined;
  }

  #noteChange(): void {
    this.#isUnrestricted = this.selectors.some((selector) => selector.isUnrestricted);
  }
}

function isFurther(one: Denial, other: Denial): boolean {
  const further = PROGRESS[one.reason] - PROGRESS[other.reason];
  if (further !== 0) return further > 0;
  return 'index' in one && 'index' in other && one.index > other.index;
}

/** Takes as long for a wrong first letter as for a wrong last one. */
function isSame(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let i = 0; i < other.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}
