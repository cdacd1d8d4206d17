/** HyperLogLog: PFADD, PFCOUNT, PFMERGE, and their debugging commands. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import {
  HLL_HEADER_BYTES,
  HLL_REGISTERS,
  HyperLogLog,
  KEEP_EXPIRY,
  NONE,
  type Ref,
  cacheEstimate,
  cachedEstimate,
  estimateRegisters,
  sparseBytesMin,
} from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_HLL_CORRUPT } from './data-errors.ts';
import { defineCommands } from './facts.ts';
import { HYPERLOGLOG_FACTS } from './facts/hyperloglog.ts';
import { hllOf, unshare } from './hll-access.ts';
import { pfdebug } from './hyperloglog-debug.ts';
import { pfselftest } from './hyperloglog-test.ts';
import { notifyKey, readKey, setRawKey, writeKey } from './key-access.ts';
import type { CommandSpec } from './spec.ts';

// Scratch: loaded and read within one call, never kept between two.
const WORK: HyperLogLog = new HyperLogLog();
const REGISTERS: Uint8Array = new Uint8Array(HLL_REGISTERS);
/** Those of the destination of PFMERGE as they were. */
const OWN_REGISTERS: Uint8Array = new Uint8Array(HLL_REGISTERS);

/** Loads the entry of the key in argument 1, or an empty one for NONE; false after an error reply. */
function loadToChange(context: Context, ref: Ref, reply: ReplyWriter): boolean {
  if (ref === NONE) {
    WORK.loadEmpty();
    return true;
  }
  const view = hllOf(context, ref, reply);
  if (view === undefined) return false;
  context.db.store.beforeChange(ref);
  unshare(context, ref);
  WORK.load(view);
  return true;
}

/** Puts the work back under the key in argument 1; counts `changes`, at least one. */
function putBack(context: Context, request: Request, ref: Ref, changes: number): void {
  const { db } = context;
  if (!WORK.isCopy) db.changed(ref, changes);
  else {
    const to = setRawKey(context, request, 1, WORK.bytes, KEEP_EXPIRY);
    if (changes > 1) db.changed(to, changes - 1);
  }
  notifyKey(context, KEYSPACE_EVENT.$, 'pfadd', request, 1);
}

function pfadd(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 1);
  if (!loadToChange(context, ref, reply)) return;
  const sparseBytesMax = context.server.settings['hll-sparse-max-bytes'];
  let changes = 0;
  if (ref === NONE) {
    changes = 1;
    WORK.forget();
  }
  for (let i = 2; i < request.argc; i++) {
    const change = WORK.add(request.buf, request.at[i]!, request.size[i]!, sparseBytesMax);
    if (change === 'invalid') return reply.error(ERR_HLL_CORRUPT);
    if (change === 'changed') changes++;
  }
  if (changes > 0) putBack(context, request, ref, changes);
  reply.int(changes > 0 ? 1 : 0);
}

/** PFCOUNT key [key ...]. */
function pfcount(context: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 2) return countUnion(context, request, reply);
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  const view = hllOf(context, ref, reply);
  if (view === undefined) return;
  unshare(context, ref);
  const cached = cachedEstimate(view.buf, view.at);
  if (cached !== undefined) return reply.int(cached);
  WORK.load(view);
  const estimate = WORK.estimate();
  if (estimate === undefined) return reply.error(ERR_HLL_CORRUPT);
  // The header keeps the estimate: a change, which replicas make too.
  context.db.store.beforeChange(ref);
  cacheEstimate(view.buf, view.at, estimate);
  context.db.changed(ref);
  reply.int(estimate);
}

function countUnion(context: Context, request: Request, reply: ReplyWriter): void {
  REGISTERS.fill(0);
  for (let i = 1; i < request.argc; i++) {
    const ref = readKey(context, request, i);
    if (ref === NONE) continue;
    const view = hllOf(context, ref, reply);
    if (view === undefined) return;
    WORK.load(view);
    if (!WORK.mergeInto(REGISTERS)) return reply.error(ERR_HLL_CORRUPT);
  }
  reply.int(estimateRegisters(REGISTERS));
}

/** PFMERGE destination [source ...]; the destination is one of the sources. */
function pfmerge(context: Context, request: Request, reply: ReplyWriter): void {
  REGISTERS.fill(0);
  let isDense = false;
  for (let i = 1; i < request.argc; i++) {
    const ref = readKey(context, request, i);
    if (ref !== NONE) {
      const view = hllOf(context, ref, reply);
      if (view === undefined) return;
      WORK.load(view);
      isDense ||= WORK.isDense;
      if (!WORK.mergeInto(REGISTERS)) return reply.error(ERR_HLL_CORRUPT);
    }
    if (i === 1) OWN_REGISTERS.set(REGISTERS);
  }
  const ref = writeKey(context, request, 1);
  if (!loadToChange(context, ref, reply)) return;
  const sparseBytesMax = context.server.settings['hll-sparse-max-bytes'];
  // What does not fit would become dense on the way, after much work on ever more codes.
  const bytesMin = HLL_HEADER_BYTES + sparseBytesMin(REGISTERS);
  isDense ||= WORK.bytes.size <= sparseBytesMax && bytesMin > sparseBytesMax;
  if (isDense && !WORK.makeDense()) return reply.error(ERR_HLL_CORRUPT);
  for (let i = 0; i < HLL_REGISTERS; i++) {
    if (REGISTERS[i]! > OWN_REGISTERS[i]!) WORK.raise(i, REGISTERS[i]!, sparseBytesMax);
  }
  WORK.forget();
  putBack(context, request, ref, 1);
  reply.ok();
}

export const hyperloglogCommands: readonly CommandSpec[] = defineCommands(HYPERLOGLOG_FACTS, {
  pfadd,
  pfcount,
  pfdebug,
  pfmerge,
  pfselftest,
});
