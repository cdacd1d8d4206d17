/** DEBUG: what tests need to look inside and to break things. Source: behaviour of redis-server 7.0.15. */
import { invariant, randomHex, replid } from '../base/index.ts';
import { memorySize } from '../config/index.ts';
import {
  LOOKUP_NO_STATS,
  LOOKUP_NO_TOUCH,
  NONE,
  PLAIN_ELEMENT_BYTES,
  TYPE_STRING,
  dumpValue,
} from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { rewriteFile } from './config-commands.ts';
import { debugClusterLink, debugDropPackets } from './debug-cluster.ts';
import { databaseTables, valueTable } from './debug-tables.ts';
import { debugProtocol } from './debug-protocol.ts';
import { dataDigest, valueDigest } from './data-digest.ts';
import { ERR_NO_SUCH_KEY, unknownUse } from './errors.ts';
import { helpHandler } from './help.ts';
import { debugLoadAof, debugReload } from './persistence-commands.ts';
import type { Handler } from './spec.ts';

/** Bytes of a DUMP payload besides the value: type, version, checksum. */
const DUMP_FRAME_BYTES = 11;

interface DebugCommand {
  /** Arguments, names included. */
  readonly min: number;
  readonly max: number;
  readonly run: Handler;
}

const accept: Handler = (_context, _request, reply) => reply.ok();

function sleep({ server }: Context, request: Request, reply: ReplyWriter): void {
  const seconds = Number.parseFloat(request.text(2));
  if (seconds > 0) server.sleep(seconds * 1000);
  reply.ok();
}

function object({ db, server }: Context, request: Request, reply: ReplyWriter): void {
  // What has expired and is still there is shown, and stays.
  const ref = db.find(request.buf, request.at[2]!, request.size[2]!);
  if (ref === NONE) return reply.error(ERR_NO_SUCH_KEY);
  const { entries } = db;
  const payload = dumpValue(db.store, ref, { compression: server.settings.rdbcompression });
  const lru = entries.lru(ref);
  const idle = db.idleSeconds(ref);
  reply.simple(
    `Value at:0x${ref.toString(16)} refcount:1 encoding:${entries.encodingName(ref)} ` +
      `serializedlength:${payload.length - DUMP_FRAME_BYTES} lru:${lru} ` +
      `lru_seconds_idle:${server.keyspace.recency.kind === 'lru' ? idle : 0}`,
  );
}

function stringSizes({ db }: Context, request: Request, reply: ReplyWriter): void {
  const ref = db.find(request.buf, request.at[2]!, request.size[2]!);
  if (ref === NONE) return reply.error(ERR_NO_SUCH_KEY);
  const isText = db.entries.type(ref) === TYPE_STRING && !db.entries.isInt(ref);
  if (!isText) return reply.error('ERR Not an sds encoded string.');
  const keySize = request.size[2]!;
  const size = db.entries.stringSize(ref);
  reply.simple(
    `key_sds_len:${keySize}, key_sds_avail:0, key_zmalloc: ${keySize}, ` +
      `val_sds_len:${size}, val_sds_avail:0, val_zmalloc: ${size}`,
  );
}

function digestValues({ db }: Context, request: Request, reply: ReplyWriter): void {
  reply.array(request.argc - 2);
  for (let i = 2; i < request.argc; i++) reply.simple(valueDigest(db, request.copy(i)));
}

/** No change that counts: neither saves nor replicas hear of it. Source: observed. */
function populate({ db, server }: Context, request: Request, reply: ReplyWriter): void {
  const count = request.int(2);
  if (typeof count !== 'number' || count < 0) {
    return reply.error('ERR value is out of range, must be positive');
  }
  const prefix = request.argc > 3 ? request.text(3) : 'key';
  let size = 0;
  if (request.argc === 5) {
    const asked = request.int(4);
    if (typeof asked !== 'number' || asked < 0) {
      return reply.error('ERR value is out of range, must be positive');
    }
    size = asked;
  }
  const { dirty } = server.keyspace;
  for (let i = 0; i < count; i++) {
    const key = Buffer.from(`${prefix}:${i}`, 'latin1');
    if (db.lookup(key, 0, key.length, LOOKUP_NO_TOUCH | LOOKUP_NO_STATS) !== NONE) continue;
    const text = Buffer.from(`value:${i}`);
    const value = size === 0 ? text : Buffer.alloc(size);
    if (size > 0) text.copy(value);
    db.setRaw(key, 0, key.length, { buf: value, at: 0, size: value.length });
  }
  server.keyspace.dirty = dirty;
  reply.ok();
}

/** From how many bytes on a list element has a node of its own; 0 for what it is at the start. */
function packedThreshold({ server }: Context, request: Request, reply: ReplyWriter): void {
  const bytes = memorySize(request.text(2));
  if (bytes === undefined || bytes >= 2 ** 32) {
    return reply.error('ERR argument must be a memory value bigger than 1 and smaller than 4gb');
  }
  server.keyspace.plainElementBytes = bytes === 0n ? PLAIN_ELEMENT_BYTES : Number(bytes);
  reply.ok();
}

function replicate(context: Context, request: Request, reply: ReplyWriter): void {
  const args: Buffer[] = [];
  for (let i = 2; i < request.argc; i++) args.push(request.copy(i));
  context.alsoPropagate(context.session.dbIndex, args);
  reply.ok();
}

function changeReplId({ server }: Context, _request: Request, reply: ReplyWriter): void {
  server.log('notice', 'Changing replication IDs after receiving change-repl-id');
  server.replication.history.restart(replid(randomHex(server.rng, 40)));
  reply.ok();
}

function stringMatch(_context: Context, _request: Request, reply: ReplyWriter): void {
  reply.simple('Apparently Redis did not crash: test passed');
}

function crash(): void {
  invariant(false, 'the operator asked for a crash');
}

const COMMANDS: Readonly<Record<string, DebugCommand>> = {
  'aof-flush-sleep': { min: 3, max: 3, run: accept },
  assert: { min: 2, max: 2, run: crash },
  'change-repl-id': { min: 2, max: 2, run: changeReplId },
  clusterlink: { min: 5, max: 5, run: debugClusterLink },
  'config-rewrite-force-all': {
    min: 2,
    max: 2,
    run: (context, _request, reply) => rewriteFile(context, reply, true),
  },
  digest: {
    min: 2,
    max: 2,
    run: ({ server }, _request, reply) => reply.simple(dataDigest(server.keyspace)),
  },
  'digest-value': { min: 2, max: Infinity, run: digestValues },
  'drop-cluster-packet-filter': { min: 3, max: 3, run: debugDropPackets },
  error: { min: 3, max: 3, run: (_context, request, reply) => reply.error(request.text(2)) },
  help: { min: 2, max: 2, run: helpHandler('debug') },
  htstats: { min: 3, max: 4, run: databaseTables },
  'htstats-key': { min: 3, max: 4, run: valueTable },
  leak: { min: 3, max: 3, run: accept },
  loadaof: { min: 2, max: 2, run: debugLoadAof },
  log: {
    min: 3,
    max: 3,
    run: ({ server }, request, reply) => {
      server.log('warning', `DEBUG LOG: ${request.text(2)}`);
      reply.ok();
    },
  },
  object: { min: 3, max: 4, run: object },
  oom: { min: 2, max: 2, run: crash },
  panic: { min: 2, max: 2, run: crash },
  'pause-cron': {
    min: 3,
    max: 3,
    run: ({ server }, request, reply) => {
      server.debug.isCronPaused = Number.parseInt(request.text(2), 10) > 0;
      reply.ok();
    },
  },
  populate: { min: 3, max: 5, run: populate },
  protocol: { min: 3, max: 3, run: debugProtocol },
  'quicklist-packed-threshold': { min: 3, max: 3, run: packedThreshold },
  reload: { min: 2, max: Infinity, run: debugReload },
  replicate: { min: 3, max: Infinity, run: replicate },
  replybuffer: { min: 4, max: 4, run: accept },
  sdslen: { min: 3, max: 3, run: stringSizes },
  segfault: { min: 2, max: 2, run: crash },
  'set-active-expire': {
    min: 3,
    max: 3,
    run: ({ server }, request, reply) => {
      server.debug.isActiveExpireOff = !(Number.parseInt(request.text(2), 10) > 0);
      reply.ok();
    },
  },
  'set-disable-deny-scripts': {
    min: 3,
    max: 3,
    run: ({ server }, request, reply) => {
      server.debug.isNoscriptIgnored = Number.parseInt(request.text(2), 10) > 0;
      reply.ok();
    },
  },
  'set-skip-checksum-validation': {
    min: 3,
    max: 3,
    run: ({ server }, request, reply) => {
      server.debug.isChecksumIgnored = Number.parseInt(request.text(2), 10) > 0;
      reply.ok();
    },
  },
  sleep: { min: 3, max: 3, run: sleep },
  'stringmatch-test': { min: 2, max: 2, run: stringMatch },
};

/** DEBUG and its subcommands, which the command table does not know. */
export function debug(context: Context, request: Request, reply: ReplyWriter): void {
  const found = COMMANDS[request.text(1).toLowerCase()];
  if (found === undefined || request.argc < found.min || request.argc > found.max) {
    return reply.error(unknownUse(request.text(1), 'DEBUG'));
  }
  found.run(context, request, reply);
}
