/** The writers of all shards, and what came of their writes. */
import { type Deployment, replyItems, replyText } from '../../client/index.ts';
import { longestGap, longestTrouble } from './gaps.ts';
import { judge } from './ledger.ts';
import type { Shard, Target } from './target.ts';
import { Writer } from './writer.ts';

export interface LoadOptions {
  /** Writers of the shard that is struck; every other shard has one. */
  readonly writers: number;
  /** Writes a second of the struck shard; 0: as fast as it goes. */
  readonly writesPerSecond: number;
  /** What a writer waits for a reply, milliseconds. */
  readonly clientTimeoutMs: number;
  readonly keyPrefix: string;
}

/** What one shard's clients met. Times in milliseconds. */
export interface ShardResult {
  readonly name: string;
  readonly isStruck: boolean;
  readonly acknowledged: number;
  /** The longest time in which one writer had no write acknowledged. */
  readonly gapMs: number;
  /** The longest time from the first sending of a write that met an error to its success. */
  readonly unavailableMs: number;
  readonly lost: number;
  /** When the first and the last of the lost ones were acknowledged, after the fault. */
  readonly lostBetweenMs: readonly [number, number] | undefined;
  readonly duplicated: number;
  readonly reordered: number;
  readonly errors: Readonly<Record<string, number>>;
  /** When the writes were acknowledged, after the fault. */
  readonly acknowledgedMs: readonly number[];
}

interface Lane {
  readonly shard: Shard;
  readonly isStruck: boolean;
  readonly writers: readonly Writer[];
}

const UNLINKED_AT_ONCE = 100;

export class Load {
  readonly #lanes: readonly Lane[];

  private constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
  }

  /** Begins to write to every shard. */
  static start(
    target: Target,
    shards: readonly Shard[],
    struck: Shard,
    options: LoadOptions,
  ): Load {
    const { writers, writesPerSecond, clientTimeoutMs, keyPrefix } = options;
    const periodMs = writesPerSecond === 0 ? 0 : (1000 * writers) / writesPerSecond;
    return new Load(
      shards.map((shard) => {
        const isStruck = shard === struck;
        const ids = Array.from({ length: isStruck ? writers : 1 }, (_, index) => index);
        return {
          shard,
          isStruck,
          writers: ids.map(
            (id) =>
              new Writer({
                address: shard.master.address,
                keyPrefix: `${keyPrefix}{${shard.tag}}:${id}`,
                // As fast as it goes is for the shard that is looked at.
                periodMs: isStruck ? periodMs : Math.max(periodMs, 1),
                timeoutMs: clientTimeoutMs,
                another: (failed) => target.another(failed),
                news: () => target.news,
              }),
          ),
        };
      }),
    );
  }

  /** Whether every writer had a write acknowledged after `atMs`, those of the struck shard by `master` if one is named. */
  areServedAfter(atMs: number, master: string | undefined): boolean {
    return this.#lanes.every(({ isStruck, writers }) =>
      writers.every(
        ({ acknowledgedMs, at }) =>
          (acknowledgedMs.at(-1) ?? 0) > atMs && (!isStruck || at === (master ?? at)),
      ),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#writers().map((writer) => writer.stop()));
  }

  /** Reads back what was written; `zeroMs` is when the fault was. Throws ClientError. */
  async results(data: Deployment, zeroMs: number): Promise<ShardResult[]> {
    const results: ShardResult[] = [];
    for (const lane of this.#lanes) results.push(await resultOf(lane, data, zeroMs));
    return results;
  }

  /** Takes away every key that was written. Throws ClientError. */
  async clean(data: Deployment): Promise<void> {
    for (const { writers } of this.#lanes) {
      const keys = writers.flatMap((writer) => writer.keys());
      for (let at = 0; at < keys.length; at += UNLINKED_AT_ONCE) {
        const some = keys.slice(at, at + UNLINKED_AT_ONCE);
        await data.call(0, Buffer.from(some[0] ?? ''), 'UNLINK', ...some);
      }
    }
  }

  #writers(): Writer[] {
    return this.#lanes.flatMap(({ writers }) => writers);
  }
}

async function resultOf(
  { shard, isStruck, writers }: Lane,
  data: Deployment,
  zeroMs: number,
): Promise<ShardResult> {
  const errors: Record<string, number> = {};
  const lostAtMs: number[] = [];
  let [acknowledged, duplicated, reordered] = [0, 0, 0];
  for (const writer of writers) {
    const found: number[] = [];
    for (const key of writer.keys()) {
      const items = replyItems(await data.call(0, Buffer.from(key), 'LRANGE', key, 0, -1));
      for (const item of items) found.push(Number(replyText(item)));
    }
    const verdict = judge(found, writer.acknowledgedMs.length);
    for (const number of verdict.lost)
      lostAtMs.push((writer.acknowledgedMs[number - 1] ?? 0) - zeroMs);
    acknowledged += writer.acknowledgedMs.length;
    duplicated += verdict.duplicatedCount;
    reordered += verdict.reorderedCount;
    for (const [word, count] of writer.errors) errors[word] = (errors[word] ?? 0) + count;
  }
  lostAtMs.sort((a, b) => a - b);
  const [first, last] = [lostAtMs[0], lostAtMs.at(-1)];
  return {
    name: shard.name,
    isStruck,
    acknowledged,
    gapMs: Math.max(...writers.map((writer) => longestGap(writer.acknowledgedMs, zeroMs))),
    unavailableMs: Math.max(...writers.map((writer) => longestTrouble(writer.troubles, zeroMs))),
    lost: lostAtMs.length,
    lostBetweenMs: first === undefined || last === undefined ? undefined : [first, last],
    duplicated,
    reordered,
    errors,
    acknowledgedMs: writers
      .flatMap((writer) => writer.acknowledgedMs.map((at) => at - zeroMs))
      .sort((a, b) => a - b),
  };
}
