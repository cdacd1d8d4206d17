/** MEMORY. */
import { NOT_INTEGER } from '../base/index.ts';
import { NONE } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { helpHandler } from './help.ts';
import { memoryReport, percentOf, ratioOf } from './memory-report.ts';
import type { Handler } from './spec.ts';

/** Below this much data there is nothing to say. Source: 7.0 object.c, getMemoryDoctorReport(). */
const DOCTOR_BYTES_MIN = 5 * 1024 * 1024;
const EMPTY_REPORT =
  "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used " +
  'in these conditions. Please, leave for your mission on Earth and fill it with some data. The new ' +
  'Sam and I will be back to our programming as soon as I finished rebooting.\n';
const HEALTHY_REPORT =
  "Hi Sam, I can't find any memory issue in your instance. I can only account for what occurs on this base.\n";
const PEAK_REPORT =
  'Sam, I detected a few issues in this Redis instance memory implants:\n\n' +
  ' * Peak memory: In the past this instance used more than 150% the memory that is currently using. ' +
  'The allocator is normally not able to release memory after a peak, so you can expect to see a big ' +
  'fragmentation ratio, however this is actually harmless and is only due to the memory peak, and if ' +
  'the Redis instance Resident Set Size (RSS) is currently bigger than expected, the memory will be ' +
  'used as soon as you fill the Redis instance with more data. If the memory peak was only occasional ' +
  'and you want to try to reclaim memory, please try the MEMORY PURGE command, otherwise the only other ' +
  'option is to shutdown and restart the instance.\n\n' +
  "I'm here to keep you safe, Sam. I want to help you.\n";
const PEAK_RATIO = 1.5;
/** Elements of a container that MEMORY USAGE looks at when it is not told. Source: 7.0 object.c, OBJ_COMPUTE_SIZE_DEF_SAMPLES. */
const SAMPLES = 5;

function usage({ db }: Context, request: Request, reply: ReplyWriter): void {
  let wanted = SAMPLES;
  for (let i = 3; i < request.argc; i += 2) {
    if (!request.is(i, 'samples') || i + 1 >= request.argc) return reply.error(ERR_SYNTAX);
    const samples = request.int(i + 1);
    if (samples === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
    if (samples < 0) return reply.error(ERR_SYNTAX);
    wanted = Number(samples);
  }
  // What has expired and is still there takes memory.
  const ref = db.find(request.buf, request.at[2]!, request.size[2]!);
  if (ref === NONE) reply.nullBulk();
  else reply.int(db.store.memoryUsage(ref, wanted));
}

function doctor({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const { usedBytes, peakBytes, dataBytes } = memoryReport(server);
  let text = HEALTHY_REPORT;
  if (dataBytes < DOCTOR_BYTES_MIN) text = EMPTY_REPORT;
  else if (ratioOf(peakBytes, usedBytes) > PEAK_RATIO) text = PEAK_REPORT;
  reply.verbatim('txt', text);
}

function stats({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const memory = memoryReport(server);
  const { usedBytes, residentBytes, dataBytes, reservedDataBytes, keyCount } = memory;
  const filled = server.keyspace.databases.filter((db) => db.size > 0);
  const overhead = usedBytes - dataBytes;
  const whole = (name: string, value: number): void => {
    reply.bulkText(name);
    reply.int(Math.round(value));
  };
  const real = (name: string, value: number): void => {
    reply.bulkText(name);
    reply.double(String(value));
  };
  reply.map(27 + filled.length);
  whole('peak.allocated', memory.peakBytes);
  whole('total.allocated', usedBytes);
  whole('startup.allocated', 0);
  whole('replication.backlog', memory.backlogBytes);
  whole('clients.slaves', memory.outgrownBytes + memory.replicaBytes);
  whole('clients.normal', memory.clientBytes);
  whole('cluster.links', 0);
  whole('aof.buffer', 0);
  whole('lua.caches', server.scripts.bytes);
  whole('functions.caches', server.functions.codeBytes);
  for (const db of filled) {
    reply.bulkText(`db.${db.index}`);
    reply.map(3);
    whole('overhead.hashtable.main', 0);
    whole('overhead.hashtable.expires', 0);
    whole('overhead.hashtable.slot-to-keys', 0);
  }
  whole('overhead.total', overhead);
  whole('keys.count', keyCount);
  whole('keys.bytes-per-key', ratioOf(dataBytes, keyCount));
  whole('dataset.bytes', dataBytes);
  real('dataset.percentage', percentOf(dataBytes, usedBytes));
  real('peak.percentage', percentOf(usedBytes, memory.peakBytes));
  whole('allocator.allocated', usedBytes);
  whole('allocator.active', reservedDataBytes + memory.heapBytes);
  whole('allocator.resident', residentBytes);
  real('allocator-fragmentation.ratio', ratioOf(reservedDataBytes + memory.heapBytes, usedBytes));
  whole('allocator-fragmentation.bytes', reservedDataBytes - dataBytes);
  real('allocator-rss.ratio', ratioOf(residentBytes, reservedDataBytes + memory.heapBytes));
  whole('allocator-rss.bytes', residentBytes - reservedDataBytes - memory.heapBytes);
  real('rss-overhead.ratio', 1);
  whole('rss-overhead.bytes', 0);
  real('fragmentation', ratioOf(residentBytes, usedBytes));
  whole('fragmentation.bytes', residentBytes - usedBytes);
}

/** The functions of MEMORY and its subcommands by full name. */
export const memoryHandlers: Readonly<Record<string, Handler>> = {
  'memory|doctor': doctor,
  'memory|help': helpHandler('memory'),
  'memory|malloc-stats': (_context, _request, reply) =>
    reply.bulkText('Stats not supported for the current allocator'),
  // Free pages go back to the system by themselves.
  'memory|purge': (_context, _request, reply) => reply.ok(),
  'memory|stats': stats,
  'memory|usage': usage,
};
