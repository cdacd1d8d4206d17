/**
 * Runs the common commands on a node of no consequence before the real one listens. The first requests of a client, and
 * the first steps of a failover, then find code that is compiled and memory that is there; without it a few thousand
 * commands run several times slower than the rest, and compete with the compiler for the processor.
 */
import { type MonoMs, monoMs, seededRng, unixMs } from '../base/index.ts';
import { loadConfig } from '../config/index.ts';
import { MemoryFiles, Node, type Ports } from '../node/index.ts';
import { encodeRequest } from '../resp/index.ts';
import { machineFacts } from './system.ts';
import { SILENT_WIRE } from './silent-wire.ts';

/** Enough for the optimising compiler to have seen the plain path. */
const ROUNDS = 400;
/** Requests of a kind that arrive together. */
const PIPELINE = 16;
const VALUE = 'x'.repeat(32);

type Arguments = readonly string[];

/** One request of each kind, by round. */
const KINDS: readonly ((i: number) => Arguments)[] = [
  (i) => ['SET', `key:${i}`, VALUE],
  (i) => ['GET', `key:${i}`],
  (i) => ['INCR', `counter:${i % 50}`],
  () => ['LPUSH', 'list', VALUE],
  () => ['RPOP', 'list'],
  (i) => ['HSET', `hash:${i % 50}`, `field${i % 20}`, VALUE],
  (i) => ['SADD', 'set', `member:${i}`],
  () => ['SPOP', 'set'],
  (i) => ['ZADD', `zset:${i % 50}`, String(i), `member:${i % 100}`],
  () => ['ZPOPMIN', 'zset:1'],
  (i) => ['XADD', 'stream', '*', 'field', `value:${i}`],
  () => ['LRANGE', 'list', '0', '20'],
  (i) => ['SET', `volatile:${i}`, VALUE, 'EX', '100'],
  (i) => ['DEL', `key:${i}`],
];

/** Works for about a tenth of a second. */
export function warmUp(): void {
  const node = scratchNode();
  if (node === undefined) return;
  const client = node.accept(SILENT_WIRE);
  for (let round = 0; round < ROUNDS; round++) {
    const kind = KINDS[round % KINDS.length]!;
    const requests = Array.from({ length: PIPELINE }, (_, i) =>
      encodeRequest(kind(round * PIPELINE + i)),
    );
    const bytes = Buffer.concat(requests);
    client.data(bytes, bytes.length);
  }
  client.closed(undefined);
}

function scratchNode(): Node | undefined {
  const loaded = loadConfig({
    text: 'save ""\ndatabases 1\n',
    reader: { read: () => ({ error: 'No such file or directory' }), expand: () => [] },
    isSentinel: false,
  });
  if (!loaded.ok) return undefined;
  const node = new Node({ ports: scratchPorts(), config: loaded.config, configFile: '' });
  return node.start() === undefined ? node : undefined;
}

function scratchPorts(): Ports {
  let clockUs = 0;
  return {
    clock: {
      monoMs: (): MonoMs => monoMs(Math.floor(clockUs / 1000)),
      monoUs: () => clockUs++,
      unixMs: () => unixMs(1_700_000_000_000),
    },
    rng: seededRng(1),
    network: { connect: () => SILENT_WIRE },
    files: new MemoryFiles(() => undefined),
    system: machineFacts,
    log: () => undefined,
    listenAnew: () => undefined,
    setAlarm: () => undefined,
    callSoon: () => undefined,
    sleep: () => undefined,
    ended: () => undefined,
  };
}
