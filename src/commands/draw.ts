/** Drawing elements of a container by lot: SRANDMEMBER, HRANDFIELD and their like. */
import type { Rng } from '../base/index.ts';
import type { Context } from './context.ts';
import { ERR_OUT_OF_RANGE } from './data-errors.ts';

/** Most draws of a negative count. Divergence: Redis goes on until its memory ends. */
const REPEATS_MAX: number = 2 ** 26;
/** Most bytes that they answer. */
const REPEATED_BYTES_MAX: number = 2 ** 30;
/** Where a walk over everything is cheaper than drawing until enough differ. Source: 7.0 t_set.c. */
const WALK_SHARE = 3;

/** Whether drawing `wanted` of `size` elements one by one is cheaper than a walk over all. */
export function isSparse(size: number, wanted: number): boolean {
  return wanted * WALK_SHARE <= size;
}

/** Says for each element of a walk over `size` whether it is one of the `wanted`; all choices are equally likely. */
export function selection(rng: Rng, size: number, wanted: number): () => boolean {
  let remaining = size;
  let left = wanted;
  return () => {
    const isTaken = left > 0 && rng.below(remaining) < left;
    remaining--;
    if (isTaken) left--;
    return isTaken;
  };
}

/** Draws until `wanted` different elements were shown; `draw` gives the identity of the one that `show` answers. */
export function drawDistinct(wanted: number, draw: () => number, show: () => void): void {
  const seen = new Set<number>();
  while (seen.size < wanted) {
    const before = seen.size;
    seen.add(draw());
    if (seen.size > before) show();
  }
}

/**
 * Answers an array of `count` draws of any elements, each of `each` replies. Where the client's output is limited it
 * ends there, for the client is closed then; elsewhere too much is an error.
 */
export function replyRepeated(
  { server, session }: Context,
  { count, each = 1 }: { readonly count: number; readonly each?: number },
  answerOne: () => void,
): void {
  const { reply } = session;
  const hardBytes = server.settings['client-output-buffer-limit'].normal.hardBytes;
  if (count > REPEATS_MAX && hardBytes === 0) return reply.error(ERR_OUT_OF_RANGE);
  const start = reply.length;
  reply.array(count * each);
  for (let i = 0; i < count; i++) {
    answerOne();
    if (hardBytes > 0 && reply.length - start > hardBytes) return;
    if (reply.length - start <= REPEATED_BYTES_MAX) continue;
    reply.truncate(start);
    return reply.error(ERR_OUT_OF_RANGE);
  }
}
