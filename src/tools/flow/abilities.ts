/**
 * What the masters of a deployment can do, whatever they call themselves: commands that they know, and versions of DUMP
 * payloads that their RESTORE takes. Asked without changing anything.
 */
import {
  type Deployment,
  NOBODY,
  type RespClient,
  replyFacts,
  replyItems,
  replyText,
} from '../../client/index.ts';
import {
  DUMP_FOOTER_BYTES,
  OLDEST_PAYLOAD_VERSION,
  VERSION_OF_REDIS_4,
  VERSION_OF_REDIS_5,
  VERSION_OF_REDIS_7_4,
  VERSION_OF_VALKEY_9,
  sealDump,
} from '../../rdb/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { ProgressKeys } from './progress-keys.ts';

/** What they all can. */
export class Abilities {
  /** Such as `Redis 7.0.15`, or several where masters differ. */
  readonly product: string;
  /** Whether fields of hashes can expire. */
  hasFieldExpiry: boolean;
  readonly #payloadVersions: ReadonlySet<number>;
  /** In lower case; undefined where nobody said. */
  readonly #commands: ReadonlySet<string> | undefined;

  constructor(
    product: string,
    payloadVersions: Iterable<number>,
    commands: Iterable<string> | undefined,
  ) {
    this.product = product;
    this.#payloadVersions = new Set(payloadVersions);
    this.#commands = commands === undefined ? undefined : new Set(commands);
    const hasForm = [VERSION_OF_REDIS_7_4, VERSION_OF_VALKEY_9].some((each) =>
      this.takesPayload(each),
    );
    this.hasFieldExpiry = hasForm && this.knows('hpexpireat');
  }

  /** Of whoever will read a file: all that there is. */
  static ofAnything(): Abilities {
    return new Abilities('whoever reads it', ASKED_VERSIONS, undefined);
  }

  /** Of all of several masters, or of one. */
  static common(all: readonly Abilities[]): Abilities {
    const [first, ...others] = all;
    if (first === undefined) return new Abilities('nobody', [], undefined);
    const products = [...new Set(all.map(({ product }) => product))];
    const lists = all.map((each) => each.#commands).filter((list) => list !== undefined);
    const [names, ...otherNames] = lists;
    const common = new Abilities(
      products.join(' and '),
      [...first.#payloadVersions].filter((version) =>
        others.every((each) => each.takesPayload(version)),
      ),
      names === undefined
        ? undefined
        : [...names].filter((name) => otherNames.every((list) => list.has(name))),
    );
    // In whatever form each of them has it.
    common.hasFieldExpiry = all.every((each) => each.hasFieldExpiry);
    return common;
  }

  takesPayload(version: number): boolean {
    return this.#payloadVersions.has(version);
  }

  /** As its own DUMP writes them. */
  get newestPayload(): number {
    return Math.max(0, ...this.#payloadVersions);
  }

  /** `command` in lower case. True where that cannot be asked. */
  knows(command: string): boolean {
    return this.#commands?.has(command) ?? true;
  }

  /** Undefined where it is no Valkey. */
  get valkeyVersion(): string | undefined {
    return /Valkey ([\d.]+)/.exec(this.product)?.[1];
  }

  /** Whether RESTORE can be told a moment rather than a time to live. */
  get hasAbsoluteTtl(): boolean {
    return this.takesPayload(VERSION_OF_REDIS_5);
  }

  /** How keys are removed without much waiting. */
  get unlink(): 'UNLINK' | 'DEL' {
    return this.knows('unlink') ? 'UNLINK' : 'DEL';
  }
}

/** Of what payloads a master is asked; those between would be answered as the one below. */
const ASKED_VERSIONS: readonly number[] = [
  ...[OLDEST_PAYLOAD_VERSION, 7, VERSION_OF_REDIS_4, VERSION_OF_REDIS_5, 10, 11],
  ...[VERSION_OF_REDIS_7_4, VERSION_OF_VALKEY_9],
];
/** By the version that INFO tells: for those who do not let RESTORE be asked. */
const VERSIONS_BY_RELEASE: readonly (readonly [release: number, payload: number])[] = [
  [3.2, 7],
  [4, VERSION_OF_REDIS_4],
  [5, VERSION_OF_REDIS_5],
  [7, 10],
  [7.2, 11],
  [7.4, VERSION_OF_REDIS_7_4],
];
/** A value of no type at all: RESTORE refuses it behind the version. */
const NO_TYPE = 0xf0;
const WRONG_VERSION = /version or checksum/;
const WRONG_DATA = /bad data format/i;

/** Asks every master, of which RESTORE must be allowed. Throws ClientError, and ReplyError where INFO is not allowed. */
export function askAbilities(deployment: Deployment): Promise<Abilities> {
  return ask(deployment, true);
}

/** The same without RESTORE, for masters that are only read: what they take is told by their version. */
export function askReadAbilities(deployment: Deployment): Promise<Abilities> {
  return ask(deployment, false);
}

async function ask(deployment: Deployment, mayTry: boolean): Promise<Abilities> {
  const keys = new ProgressKeys('probe', deployment.isCluster);
  const asked = deployment.masters().map(async (_, master) => {
    const client = await deployment.connection(master);
    const slot = deployment.isCluster ? slotOf(deployment, master) : 0;
    return abilitiesOf(client, mayTry ? keys.mark(slot) : undefined);
  });
  return Abilities.common(await Promise.all(asked));
}

function slotOf(deployment: Deployment, master: number): number {
  for (let slot = 0; ; slot++) {
    const owner = deployment.ownerOfSlot(slot);
    if (owner === master || owner === NOBODY) return slot;
  }
}

/** `key` is one that the master owns and that nobody has; undefined: RESTORE is not tried. */
async function abilitiesOf(client: RespClient, key: string | undefined): Promise<Abilities> {
  const facts = replyFacts(await client.call('INFO', 'server'));
  const [list] = await client.pipeline([['COMMAND']]);
  const commands = replyItems(list).map((each) => replyText(replyItems(each)[0]).toLowerCase());
  const tried = key === undefined ? undefined : await triedVersions(client, key);
  const versions = tried ?? versionsOf(facts);
  return new Abilities(productOf(facts), versions, commands.length === 0 ? undefined : commands);
}

/** Undefined where RESTORE did not get as far as the version. */
async function triedVersions(
  client: RespClient,
  key: string,
): Promise<readonly number[] | undefined> {
  const answers = await client.pipeline(
    ASKED_VERSIONS.map((version) => ['RESTORE', key, 0, emptyPayload(version)]),
  );
  const isTold = answers.every(
    (answer) =>
      answer instanceof ReplyError && (isTaken(answer) || WRONG_VERSION.test(answer.message)),
  );
  return isTold ? ASKED_VERSIONS.filter((_, i) => isTaken(answers[i])) : undefined;
}

function isTaken(answer: unknown): boolean {
  return answer instanceof ReplyError && WRONG_DATA.test(answer.message);
}

function emptyPayload(version: number): Buffer {
  const payload = Buffer.alloc(1 + DUMP_FOOTER_BYTES, NO_TYPE);
  sealDump(payload, 0, 1, version);
  return payload;
}

function versionsOf(facts: ReadonlyMap<string, string>): readonly number[] {
  const [major = 0, minor = 0] = (facts.get('redis_version') ?? '').split('.').map(Number);
  const release = major + minor / 10;
  const newest = VERSIONS_BY_RELEASE.findLast(([since]) => since <= release)?.[1];
  const versions = ASKED_VERSIONS.filter((each) => each <= (newest ?? OLDEST_PAYLOAD_VERSION));
  const isValkey9 = Number.parseInt(facts.get('valkey_version') ?? '', 10) >= 9;
  return isValkey9 ? [...versions, VERSION_OF_VALKEY_9] : versions;
}

/** What a server calls itself in INFO, such as `Valkey 9.1.2`. */
export function productOf(facts: ReadonlyMap<string, string>): string {
  const name = facts.get('server_name');
  if (name === 'slotline') return `Slotline ${facts.get('slotline_version') ?? ''}`.trim();
  if (name === 'valkey') return `Valkey ${facts.get('valkey_version') ?? ''}`.trim();
  return `Redis ${facts.get('redis_version') ?? ''}`.trim();
}
