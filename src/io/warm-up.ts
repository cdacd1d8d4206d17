/**
 * Runs the common commands on nodes of no consequence before the real one listens. The first requests of a client, and
 * the first steps of a failover, then find code that is compiled and memory that is there; without it a few thousand
 * commands run several times slower than the rest, and compete with the compiler for the processor.
 *
 * The compiler takes a field that has never changed, or has always held objects of one shape, for one that never will,
 * and throws the code away when it does. So a first node goes through what changes them all (clients come and go, numbers
 * become large, the clock runs, a save ends) before code is compiled on a second one; and that runs on the real clock and
 * dice, which are then joined to the code that asks them.
 */
import { loadConfig } from '../config/index.ts';
import { MemoryFiles, Node, type Ports, type WireEvents } from '../node/index.ts';
import { encodeRequest } from '../resp/index.ts';
import { machineClock, machineRng } from './clock.ts';
import { SILENT_WIRE } from './silent-wire.ts';
import { machineFacts } from './system.ts';

/** Enough for the optimising compiler to have seen the plain path. */
const ROUNDS = 500;
/** Enough for each kind of request to have been seen, and nothing compiled. */
const REHEARSAL_ROUNDS = 63;
/** Requests of a kind that arrive together. */
const PIPELINE = 16;
/** Rounds between two looks at what is due. */
const ALARM_ROUNDS = 20;
/** Rounds between two saves. */
const SAVE_ROUNDS = 50;
const VALUE = 'x'.repeat(32);
const LARGE = '123456789012345678';

type Arguments = readonly string[];

/** One request of each kind, by number. Numbers in replies are of all lengths: short and long ones go different ways. */
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
  (i) => ['LPUSH', `long:${i % 3}`, VALUE],
  (i) => ['RPUSH', `long:${i % 3}`, VALUE],
  (i) => ['INCRBY', `large:${i % 9}`, String(10 ** (i % 9))],
  (i) => ['DECRBY', `negative:${i % 9}`, String(10 ** (i % 9))],
  (i) => ['SETRANGE', `text:${i % 4}`, String(10 ** (i % 4)), 'x'],
  (i) => ['GET', `text:${i % 4}`],
  (i) => ['MGET', ...Array.from({ length: (i % 16) + 1 }, (_, j) => `key:${i - j}`)],
];

/** What changes the state of a client or of a node for the first time, or the kind of a number. */
const RARE: readonly Arguments[] = [
  ['WATCH', 'key:1'],
  ['MULTI'],
  ['SET', 'key:1', LARGE],
  ['EXEC'],
  ['LPUSH', 'list', LARGE, '-1', '1'],
  ['HSET', 'hash:1', 'field1', LARGE],
  ['ZADD', 'zset:1', '1.5', 'member:1'],
  ['GET', 'key:1'],
  ['PEXPIRE', 'key:1', '1'],
  ['CONFIG', 'SET', 'appendonly', 'yes'],
  ['CONFIG', 'SET', 'notify-keyspace-events', 'KEA'],
  ['CONFIG', 'SET', 'maxmemory', '1gb'],
  ['SET', 'key:1', VALUE],
  ['CONFIG', 'SET', 'maxmemory', '0'],
  ['CONFIG', 'SET', 'notify-keyspace-events', ''],
  ['CONFIG', 'SET', 'appendonly', 'no'],
  ['CLIENT', 'PAUSE', '1'],
  ['SET', 'key:1', VALUE],
  ['CLIENT', 'UNPAUSE'],
  ['EVAL', "return redis.call('GET', KEYS[1])", '1', 'key:1'],
  ['CLIENT', 'TRACKING', 'ON', 'BCAST'],
  ['CLIENT', 'TRACKING', 'OFF'],
  ['SUBSCRIBE', 'channel'],
  ['UNSUBSCRIBE'],
  ['REPLICAOF', '127.0.0.1', '1'],
  ['GET', 'key:1'],
  ['REPLICAOF', 'NO', 'ONE'],
  ['FLUSHALL'],
  ['CLIENT', 'REPLY', 'SKIP'],
  ['MONITOR'],
];

/** Works for about a tenth of a second. */
export function warmUp(): void {
  use(REHEARSAL_ROUNDS);
  use(ROUNDS);
}

/** Has a node carry out `rounds` pipelines of each kind in turn, and save what comes of it. */
function use(rounds: number): void {
  const later: (() => void)[] = [];
  const node = scratchNode(later);
  if (node === undefined) return;
  const send = (client: WireEvents, requests: readonly Arguments[]): void => {
    const bytes = Buffer.concat(requests.map((each) => encodeRequest(each)));
    client.data(bytes, bytes.length);
    for (let run = later.shift(); run !== undefined; run = later.shift()) run();
  };
  const rare = node.accept({ ...SILENT_WIRE });
  for (const each of RARE) send(rare, [each]);
  rare.closed(undefined);
  const client = node.accept(SILENT_WIRE);
  for (let round = 0; round < rounds; round++) {
    const kind = KINDS[round % KINDS.length]!;
    send(
      client,
      Array.from({ length: PIPELINE }, (_, i) => kind(round * PIPELINE + i)),
    );
    if (round % ALARM_ROUNDS === 0) node.wake();
    if (round % SAVE_ROUNDS === 0) send(client, [['BGSAVE']]);
  }
  client.closed(undefined);
}

/** What it puts into `later` has to be run after each turn. */
function scratchNode(later: (() => void)[]): Node | undefined {
  const loaded = loadConfig({
    text: 'save ""\nhz 500\n',
    reader: { read: () => ({ error: 'No such file or directory' }), expand: () => [] },
    isSentinel: false,
  });
  if (!loaded.ok) return undefined;
  const ports = scratchPorts(later, () => node.work());
  const node = new Node({ ports, config: loaded.config, configFile: '' });
  return node.start() === undefined ? node : undefined;
}

function scratchPorts(later: (() => void)[], work: () => void): Ports {
  return {
    clock: machineClock,
    rng: machineRng(),
    network: { connect: () => SILENT_WIRE },
    files: new MemoryFiles((run) => void later.push(run)),
    system: machineFacts,
    log: () => undefined,
    listenAnew: () => undefined,
    setAlarm: () => undefined,
    callSoon: () => void later.push(work),
    sleep: () => undefined,
    ended: () => undefined,
  };
}
