/** Copies keys anew that got commands late (`LateKeys`), lot by lot, while the stream goes on. */
import { keySlot } from '../../base/index.ts';
import { ClientError, type Deployment, formatAddress, replyFacts } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import type { DatabasePair } from '../flow/index.ts';
import type { KeyFilter } from './key-filter.ts';
import { readAtOnce } from './key-reader.ts';
import type { LateKeys } from './late-keys.ts';
import type { SlotKey } from './slot-key.ts';

export interface LateCopyOptions {
  readonly late: LateKeys;
  readonly source: Deployment;
  /** Address of the master that has the keys. */
  readonly address: () => string;
  readonly pairs: readonly DatabasePair[];
  readonly filter: KeyFilter | undefined;
  /** Puts keys in the place of what the target has. */
  readonly put: (db: number, keys: readonly SlotKey[]) => Promise<void>;
  readonly remove: (db: number, names: readonly Buffer[]) => Promise<void>;
  readonly note: (line: string) => void;
}

interface Copied {
  readonly db: number;
  readonly name: Buffer;
  readonly offset: number;
}

export class LateCopy {
  readonly #options: LateCopyOptions;
  #count = 0;

  constructor(options: LateCopyOptions) {
    this.#options = options;
  }

  /** Where the source's stream stands now; undefined while nobody knows which of its nodes that is. Throws ClientError. */
  async askOffset(): Promise<number | undefined> {
    const { source, address } = this.#options;
    const master = this.#master();
    if (master < 0) return undefined;
    const facts = replyFacts(await (await source.connection(master)).call('INFO', 'replication'));
    return address() === formatAddress(source.masters()[master]!)
      ? Number(facts.get('master_repl_offset'))
      : undefined;
  }

  /**
   * Copies the next lot; nothing else may be carried out meanwhile. Answers false when there is none left, so that the
   * caller may clear the keys once the stream is past them. Throws ClientError and ToolError.
   */
  async next(): Promise<boolean> {
    const { late, filter, note } = this.#options;
    if (this.#master() < 0) await this.#options.source.refresh();
    const lot = late.next();
    if (lot === undefined) {
      if (this.#count > 0) note(`${this.#count} keys that got commands late were copied again`);
      this.#count = 0;
      return false;
    }
    const copied: Copied[] = [];
    for (const [db, names] of lot) {
      const wanted = names.filter((name) => filter?.admits(name, 0, name.length) !== false);
      const groups = this.#options.source.isCluster ? bySlot(wanted) : [wanted];
      const lists = await Promise.all(groups.map((group) => this.#copy(db, group)));
      copied.push(...lists.flat());
    }
    this.#count += copied.length;
    late.leaveOut(copied);
    return true;
  }

  #master(): number {
    const { source, address } = this.#options;
    const name = address();
    return source.masters().findIndex((master) => formatAddress(master) === name);
  }

  async #copy(db: number, names: readonly Buffer[]): Promise<readonly Copied[]> {
    const { source, pairs, put, remove, note } = this.#options;
    const ofSource = pairs.find(({ target }) => target === db)?.source ?? db;
    const master = this.#master();
    if (master < 0)
      throw new ClientError('NO_NODE', `Cannot read keys of ${this.#options.address()}: no master`);
    const client = await source.connection(master, ofSource);
    const read = await readAtOnce(client, names, undefined);
    if (read instanceof ReplyError) {
      // Slots that moved are copied anew as a whole.
      if (!['MOVED', 'ASK', 'TRYAGAIN'].includes(read.code)) {
        note(
          `${names.length} keys may be wrong: ${read.message}; verify --repair target mends them`,
        );
      }
      return [];
    }
    const { keys, missing, offset } = read;
    await Promise.all([put(db, keys), remove(db, missing)]);
    return names.map((name) => ({ db, name, offset }));
  }
}

function bySlot(names: readonly Buffer[]): readonly (readonly Buffer[])[] {
  const groups = new Map<number, Buffer[]>();
  for (const name of names) {
    const slot = keySlot(name, 0, name.length);
    const group = groups.get(slot);
    if (group === undefined) groups.set(slot, [name]);
    else group.push(name);
  }
  return [...groups.values()];
}
