/** PFSELFTEST: registers keep what is put into them, and estimates are as near as they should be. */
import { HLL_REGISTERS, HyperLogLog } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';

const ROUNDS = 20;
/** Elements added; every tenth power on the way is a checkpoint. */
const ELEMENTS = 1_000_000;
const ELEMENT_BYTES = 8;
/** Standard error of an estimate. */
const ERROR_SHARE: number = 1.04 / Math.sqrt(HLL_REGISTERS);
const SPARSE_BYTES_MAX = 3000;
const VALUES = 64;

export function pfselftest(context: Context, _request: Request, reply: ReplyWriter): void {
  const failure = registersFailure(context) ?? estimatesFailure(context);
  if (failure === undefined) reply.ok();
  else reply.error(`TESTFAILED ${failure}`);
}

/** Dense registers against an array of bytes. */
function registersFailure({ server }: Context): string | undefined {
  const hll = new HyperLogLog();
  hll.loadEmpty();
  hll.makeDense();
  const bytes = new Uint8Array(HLL_REGISTERS);
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < HLL_REGISTERS; i++) {
      const value = server.rng.below(VALUES);
      hll.raise(i, value, 0);
      bytes[i] = Math.max(bytes[i]!, value);
    }
    let wrong: string | undefined;
    hll.forEachRun((index, _count, value) => {
      if (value !== bytes[index]) {
        wrong ??= `Register ${index} should be ${bytes[index]} but is ${value}`;
      }
    });
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** A HyperLogLog that begins sparse, and one that is dense, both near the truth. */
function estimatesFailure({ server }: Context): string | undefined {
  const dense = new HyperLogLog();
  dense.loadEmpty();
  dense.makeDense();
  const sparse = new HyperLogLog();
  sparse.loadEmpty();
  const element = Buffer.alloc(ELEMENT_BYTES);
  element.writeUInt32LE(server.rng.below(2 ** 32), 4);
  let checkpoint = 1;
  for (let count = 1; count <= ELEMENTS; count++) {
    element.writeUInt32LE(count);
    dense.add(element, 0, ELEMENT_BYTES, 0);
    sparse.add(element, 0, ELEMENT_BYTES, SPARSE_BYTES_MAX);
    if (count !== checkpoint) continue;
    const estimate = Number(dense.estimate());
    if (sparse.estimate() !== estimate) return 'dense/sparse disagree';
    // Small sets have few registers in use: a few elements off are allowed.
    const tolerance = count === 10 ? 1 : Math.ceil(ERROR_SHARE * 6 * count);
    if (Math.abs(count - estimate) > tolerance) {
      return `Too big error. card:${count} abserr:${Math.abs(count - estimate)}`;
    }
    checkpoint *= 10;
  }
  return undefined;
}
