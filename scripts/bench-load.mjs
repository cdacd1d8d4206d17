/**
 * `npm run bench:load [-- SHAPE...] [--keys 2000000] [--rounds 5]`: how long the file of a data set takes to load beside the
 * redis-server of this machine, which wrote the file, in turns. Prints one JSON object a line, medians and the ratio
 * ours/theirs: `seconds` as the servers log them, `cpu` of the process with its start until it answers, in seconds.
 * Environment: see bench-servers.mjs.
 */
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  Client,
  SIDES,
  chosenOf,
  cpuSeconds,
  median,
  options,
  pipelined,
  show,
  start,
  stop,
  until,
} from './bench-servers.mjs';

const { option, rest } = options();
const keys = Number(option('keys', 2_000_000));
const rounds = Number(option('rounds', 5));
const LOAD_MS_MAX = 120_000;
const LARGE_KEYS = 20;

const times = (count, make) => Array.from({ length: count }, (_, i) => make(i)).flat();
/** Numbers without an order, the same in each run. */
const any = (i) => (i * 2_654_435_761) % 4_294_967_296;
const SHAPES = {
  text: (i) => ['SET', `key:${i}`, `value of ${any(i)} and so on`],
  int: (i) => ['SET', `int:${i}`, i],
  ttl: (i) => ['SET', `ttl:${i}`, `value of ${any(i)}`, 'EX', 100_000 + (i % 1000)],
  packed: (i) => ['SET', `zip:${i}`, `{"name":"user ${i}","name2":"user ${i}","more":"user ${i}"}`],
  hash: (i) => ['HSET', `hash:${i}`, ...times(5, (f) => [`field${f}`, `value${any(i + f)}`])],
  zset: (i) => ['ZADD', `zset:${i}`, ...times(10, (m) => [any(i + m) % 1000, `member${m}`])],
  set: (i) => ['SADD', `set:${i}`, ...times(5, (m) => `member${m}:${i}`)],
  intset: (i) => ['SADD', `ints:${i}`, ...times(10, (m) => any(i + m) % 30_000)],
  list: (i) => ['RPUSH', `list:${i}`, ...times(5, (e) => `element${e}:${i}`)],
  largehash: (i) => ['HSET', `H:${i % LARGE_KEYS}`, `field:${i}`, `value:${i}`],
  largeset: (i) => ['SADD', `S:${i % LARGE_KEYS}`, `member:${i}`],
  largezset: (i) => ['ZADD', `Z:${i % LARGE_KEYS}`, any(i), `member:${i}`],
  largelist: (i) => ['RPUSH', `L:${i % LARGE_KEYS}`, `element:${i}`],
};
/** Of a hundred commands, so many are of a shape. */
const MIXED = Object.entries({
  ...{ text: 40, int: 10, ttl: 10, packed: 5, hash: 10, zset: 5, set: 5, intset: 5, list: 5 },
  ...{ largehash: 2, largeset: 1, largezset: 1, largelist: 1 },
}).flatMap(([shape, share]) => times(share, () => shape));
SHAPES.mixed = (i) => SHAPES[MIXED[i % MIXED.length]](i);

for (const name of chosenOf(SHAPES, rest().length === 0 ? ['mixed'] : rest())) {
  const file = await fileOf(name);
  const figures = { ref: [], own: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of SIDES) figures[side].push(await load(side, file));
  }
  rmSync(file, { force: true });
  for (const what of ['seconds', 'cpu']) {
    const of = (side) => median(figures[side].map((figure) => figure[what]));
    show(`${name} ${what}`, of('ref'), of('own'));
  }
}
process.exit(0);

/** A file of that shape, written by redis-server. */
async function fileOf(name) {
  const { port, dir } = await start('ref');
  const client = new Client(port);
  await pipelined(client, keys, SHAPES[name]);
  const saved = await client.call('SAVE');
  if (saved !== 'OK') throw new Error(`SAVE: ${String(saved)}`);
  client.close();
  const file = `${dir}.rdb`;
  renameSync(join(dir, 'dump.rdb'), file);
  await stop('ref');
  return file;
}

async function load(side, file) {
  const place = ['--dir', dirname(file), '--dbfilename', basename(file)];
  const server = await start(side, { flags: place });
  const log = () => readFileSync(join(server.dir, 'log'), 'latin1');
  const loaded = /DB loaded from disk: ([\d.]+) seconds/;
  await until(async () => loaded.test(log()), LOAD_MS_MAX, 'the file is loaded');
  const figures = { seconds: Number(loaded.exec(log())?.[1]), cpu: cpuSeconds(server) };
  await stop(side);
  return figures;
}
