/**
 * A node on a disk that is full when the log grows, is rewritten, and when a snapshot is saved: data and service stay, the
 * failure shows, and all goes on by itself once there is room. The disk is a small one in memory, which takes root.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NodeProcess } from '../interop/harness/node-process.ts';
import { ReplyError } from '../interop/harness/resp-connection.ts';
import { until } from '../interop/harness/until.ts';

const DISK = '64m';
const VALUE = 'x'.repeat(50_000);
/** Data that a snapshot has no room for while the ballast is there. */
const KEYS = 200;
const WRITES_MAX = 10_000;
const BOUND_MS = 30_000;
const CONFIG = [
  'appendonly yes',
  'appendfsync everysec',
  'auto-aof-rewrite-percentage 0',
  'rdbcompression no',
  'enable-debug-command yes',
];

export async function diskFull(exe: string, port: number, dir: string): Promise<void> {
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', disk]);
  const node = new NodeProcess({ exe, port, dir, config: [...CONFIG, `dir ${disk}`] });
  try {
    await node.start();
    for (let i = 0; i < KEYS; i++) await node.call('SET', `key:${i}`, VALUE);
    await appends(node, disk);
    await rewrites(node, disk);
    await saves(node, disk);
  } finally {
    await node.kill();
    execFileSync('umount', [disk]);
  }
}

/** Writes until the disk is full: everything acknowledged is there, also after a restart. */
async function appends(node: NodeProcess, disk: string): Promise<void> {
  const acknowledged = await untilRefused(node, disk, 500_000);
  await expectFact(node, 'aof_last_write_status', 'err');
  expectThat(/(Error writing|Short write).* AOF file/.test(node.log()), 'the log tells of it');
  expectThat((await node.call('GET', 'key:0')) === VALUE, 'reads are served');
  makeRoom(disk);
  await until(() => isWritable(node), BOUND_MS, 'writes go on');
  await expectFact(node, 'aof_last_write_status', 'ok');
  await sameAfterRestart(node);
  expectThat(Number(await node.call('GET', 'count')) >= acknowledged, 'acknowledged writes stay');
}

/** A rewrite that finds no room leaves the log as it was. */
async function rewrites(node: NodeProcess, disk: string): Promise<void> {
  fill(disk, 2_000_000);
  const before = names(disk);
  await node.call('BGREWRITEAOF');
  await idle(node, 'aof_rewrite_in_progress');
  await expectFact(node, 'aof_last_bgrewrite_status', 'err');
  // The log that the rewrite began stays until one succeeds; temporary files do not.
  const isTemporary = (name: string): boolean => name.includes('temp');
  expectThat(!names(disk).some(isTemporary), `no temporary file stays beside ${before.join(', ')}`);
  expectThat(await isWritable(node), 'writes go on');
  await sameAfterRestart(node);
  makeRoom(disk);
  await node.call('BGREWRITEAOF');
  await idle(node, 'aof_rewrite_in_progress');
  await expectFact(node, 'aof_last_bgrewrite_status', 'ok');
  await sameAfterRestart(node);
}

/** A save that finds no room leaves the old file, and writes wait until one succeeds by itself. */
async function saves(node: NodeProcess, disk: string): Promise<void> {
  await node.call('CONFIG', 'SET', 'appendonly', 'no');
  await node.call('SAVE');
  const saved = statSync(join(disk, 'dump.rdb')).size;
  fill(disk, 2_000_000);
  await node.call('CONFIG', 'SET', 'save', '1 1');
  await node.call('INCR', 'count');
  await until(async () => !(await isWritable(node)), BOUND_MS, 'a save fails and stops writes');
  await expectFact(node, 'rdb_last_bgsave_status', 'err');
  expectThat(statSync(join(disk, 'dump.rdb')).size === saved, 'the old snapshot stays');
  expectThat(!names(disk).some((name) => name.startsWith('temp')), 'no temporary file stays');
  makeRoom(disk);
  await until(() => isWritable(node), BOUND_MS, 'a save succeeds, and writes go on');
  await expectFact(node, 'rdb_last_bgsave_status', 'ok');
  await node.call('CONFIG', 'SET', 'appendonly', 'yes');
  await idle(node, 'aof_rewrite_in_progress');
  await sameAfterRestart(node);
}

/** How often INCR was acknowledged before the node refused to write, with so many bytes free at first. */
async function untilRefused(node: NodeProcess, disk: string, freeBytes: number): Promise<number> {
  fill(disk, freeBytes);
  let acknowledged = 0;
  for (let i = 0; i < WRITES_MAX; i++) {
    try {
      await node.call('SET', `more:${i % 10}`, VALUE);
      acknowledged = Number(await node.call('INCR', 'count'));
    } catch (error) {
      if (error instanceof ReplyError && error.message.startsWith('MISCONF')) return acknowledged;
      throw error;
    }
  }
  throw new Error(`${WRITES_MAX} writes were taken by a full disk`);
}

async function isWritable(node: NodeProcess): Promise<boolean> {
  try {
    await node.call('INCR', 'count');
    return true;
  } catch (error) {
    if (error instanceof ReplyError && error.message.startsWith('MISCONF')) return false;
    throw error;
  }
}

async function sameAfterRestart(node: NodeProcess): Promise<void> {
  const before = await node.text('DEBUG', 'DIGEST');
  await node.signal('SIGTERM');
  await node.start();
  const after = await node.text('DEBUG', 'DIGEST');
  expectThat(before === after, 'a restart finds the same data');
}

async function idle(node: NodeProcess, work: string): Promise<void> {
  const isIdle = async (): Promise<boolean> =>
    (await node.facts('INFO', 'persistence')).get(work) === '0';
  await until(isIdle, BOUND_MS, `${work}:0`);
}

async function expectFact(node: NodeProcess, name: string, wanted: string): Promise<void> {
  const value = (await node.facts('INFO', 'persistence')).get(name);
  expectThat(value === wanted, `${name} is ${wanted}, not ${value}`);
}

function expectThat(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`not so: ${what}`);
}

/** Leaves so many bytes of the disk free. */
function fill(disk: string, freeBytes: number): void {
  const { bavail, bsize } = statfsSync(disk);
  const size = bavail * bsize - freeBytes;
  expectThat(size > 0, 'the disk has more room than is to be left');
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(size));
}

function makeRoom(disk: string): void {
  rmSync(join(disk, 'ballast'));
}

function names(disk: string): string[] {
  return [...readdirSync(disk), ...readdirSync(join(disk, 'appendonlydir'))];
}
