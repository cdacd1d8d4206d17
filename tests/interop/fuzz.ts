/**
 * `npm run fuzz -- [--inputs 100000] [--seed N]`: damaged requests and bus packets against a running cluster node, one a
 * connection, half to the client port and half to the bus port. Afterwards the same process must answer, see the
 * same cluster, and have given the memory back. A failure names the seed; the same seed sends the same bytes.
 */
import { connect } from 'node:net';
import { type Rng, seededRng } from '../../src/base/index.ts';
import { Cluster } from './harness/cluster.ts';
import { until } from './harness/until.ts';

const INPUTS_DEFAULT = 100_000;
const SEED_DEFAULT = 1;
const CONCURRENT = 50;
const BUS_OFFSET = 10_000;
const BUS_HEADER_SIZE = 2256;
const GOSSIP_ENTRY_SIZE = 104;
/** A node that is waiting for the rest of an input is not stuck: then we hang up. */
const HANG_UP_MS = 20;
const MEMORY_GROWTH_MAX = 64 * 1024 * 1024;

/** Harmless whole requests: what a flip makes of them may run, and must not end the process. */
const REQUESTS: readonly string[] = [
  '*1\r\n$4\r\nPING\r\n',
  '*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n',
  '*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n',
  '*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n',
  '*2\r\n$7\r\nCLUSTER\r\n$5\r\nNODES\r\n',
  '*4\r\n$8\r\nSETRANGE\r\n$3\r\nkey\r\n$2\r\n10\r\n$1\r\nx\r\n',
  '*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*1\r\n$4\r\nEXEC\r\n',
  '*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n',
  '*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n',
  '*4\r\n$7\r\nRESTORE\r\n$3\r\nkey\r\n$1\r\n0\r\n$4\r\nabcd\r\n',
  'PING\r\n',
  'SET "quoted key" \'value\\x41\'\r\n',
];

const { inputs, seed } = readArguments(process.argv.slice(2));
await main();

async function main(): Promise<void> {
  const cluster = await Cluster.start({ masters: 3, replicasPerMaster: 0 });
  try {
    const node = cluster.node(0);
    const { pid } = node;
    const before = await sight(cluster);
    const memoryBefore = await usedMemory(cluster);
    const rng = seededRng(seed);
    let sent = 0;
    const started = performance.now();
    const worker = async (): Promise<void> => {
      while (sent < inputs) {
        const isBus = sent++ % 2 === 0;
        const whole = isBus ? packet(rng) : request(rng);
        await send(isBus ? node.port + BUS_OFFSET : node.port, damaged(whole, rng));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT }, worker));
    if (node.pid !== pid) throw new Error(`The process ended:\n${node.log().slice(-2000)}`);
    await until(
      async () => (await sight(cluster)) === before,
      30_000,
      'the node sees the same cluster as before',
    );
    await until(
      async () => (await usedMemory(cluster)) - memoryBefore < MEMORY_GROWTH_MAX,
      30_000,
      'the memory comes back',
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`fuzz: ${inputs} inputs in ${seconds} s, seed ${seed}: nothing found`);
  } catch (error) {
    console.error(`fuzz: found with npm run fuzz -- --inputs ${inputs} --seed ${seed}`);
    throw error;
  } finally {
    await cluster.stop();
  }
}

function request(rng: Rng): Buffer {
  const count = 1 + rng.below(3);
  const parts = Array.from({ length: count }, () => REQUESTS[rng.below(REQUESTS.length)] ?? '');
  return Buffer.from(parts.join(''), 'latin1');
}

/** A packet with the right lengths of a sender that nobody knows. */
function packet(rng: Rng): Buffer {
  // Not MEET (2): that one makes the node try to reach whoever the packet names.
  const type = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10][rng.below(10)] ?? 0;
  const gossip = type <= 1 ? rng.below(4) : 0;
  const extra = [3, 4, 7, 10].includes(type) ? rng.below(200) : 0;
  const bytes = Buffer.alloc(BUS_HEADER_SIZE + gossip * GOSSIP_ENTRY_SIZE + extra);
  for (let at = 16; at < bytes.length; at++) bytes[at] = rng.below(256);
  bytes.write('RCmb', 0, 'latin1');
  bytes.writeUInt32BE(bytes.length, 4);
  bytes.writeUInt16BE(1, 8);
  bytes.writeUInt16BE(type, 12);
  bytes.writeUInt16BE(gossip, 14);
  return bytes;
}

/** One to four of: flipped bit, changed byte, cut, doubled part, huge number. */
function damaged(whole: Buffer, rng: Rng): Buffer {
  let bytes = Buffer.from(whole);
  for (let times = 1 + rng.below(4); times > 0 && bytes.length > 0; times--) {
    // Headers decide most, so half of the damage is done at the front.
    const at = rng.below(rng.below(2) === 0 ? Math.min(40, bytes.length) : bytes.length);
    switch (rng.below(5)) {
      case 0:
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << rng.below(8)), at);
        break;
      case 1:
        bytes.writeUInt8(rng.below(256), at);
        break;
      case 2:
        bytes = bytes.subarray(0, at + 1);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(rng.below(bytes.length))]);
        break;
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from('4294967295'),
          bytes.subarray(at),
        ]);
    }
  }
  return bytes;
}

function send(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const timer = setTimeout(() => socket.resetAndDestroy(), HANG_UP_MS);
    socket.on('data', () => 'whatever it answers');
    // A reset is how a refused input often ends.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on('end', () => socket.resetAndDestroy());
    socket.write(bytes);
  });
}

/** What the node knows of the cluster, strangers in handshake left out. */
async function sight(cluster: Cluster): Promise<string> {
  const view = await cluster.view(cluster.node(0));
  const known = view.filter(({ flags }) => !flags.has('handshake'));
  known.sort((a, b) => a.port - b.port);
  const facts = known.map(({ id, port, slots, flags }) => [id, port, slots, [...flags]]);
  return JSON.stringify(facts);
}

async function usedMemory(cluster: Cluster): Promise<number> {
  return Number((await cluster.node(0).facts('INFO', 'memory')).get('used_memory'));
}

function readArguments(args: readonly string[]): { inputs: number; seed: number } {
  const valueOf = (flag: string, fallback: number): number => {
    const at = args.indexOf(flag);
    if (at < 0) return fallback;
    const value = Number(args[at + 1]);
    if (!Number.isSafeInteger(value) || value < 1) {
      console.error(`fuzz: ${flag} needs a whole number from 1`);
      process.exit(2);
    }
    return value;
  };
  return { inputs: valueOf('--inputs', INPUTS_DEFAULT), seed: valueOf('--seed', SEED_DEFAULT) };
}
