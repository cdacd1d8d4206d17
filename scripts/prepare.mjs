/**
 * Runs before `npm start` and `npm test`: installs the packages and builds when that is due, and is silent and
 * quick when it is not. Imports nothing but Node, because in a fresh clone there is nothing else.
 * Flag: --install-only leaves the build out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, buildStamp, lockStamp } from './project.mjs';

const LOCK_POLL_MS = 200;
/** A preparation that has not finished by then has lost its process without a trace. */
const LOCK_WAIT_MAX_MS = 10 * 60 * 1000;

const installStampFile = join(ROOT, 'node_modules', '.slotline-lock');
const buildStampFile = join(ROOT, 'dist', '.stamp');
const wantsBuild = !process.argv.includes('--install-only');

checkNode();
if (!isInstalled() || (wantsBuild && !isBuilt())) {
  const unlock = lock();
  try {
    // Whoever held the lock before may have done the work.
    if (!isInstalled()) install();
    if (wantsBuild && !isBuilt()) build();
  } finally {
    unlock();
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`slotline: Node 20.19 or newer is needed, this is ${process.versions.node}`);
  process.exit(1);
}

function isInstalled() {
  if (read(installStampFile) === lockStamp()) return true;
  // `npm ci` run by hand leaves npm's own record, newer than the lock file it was made from.
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  if (existsSync(installStampFile)) return false;
  return statSync(record).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs;
}

function isBuilt() {
  return read(buildStampFile) === buildStamp();
}

function install() {
  console.error('slotline: installing packages (npm ci), once');
  const npm = process.env['npm_execpath'];
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm's chatter goes to stderr, so that the caller's stdout holds only its own output.
  const stdio = ['ignore', 2, 2];
  const done = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: ROOT, stdio })
    : spawnSync('npm', args, { cwd: ROOT, stdio, shell: process.platform === 'win32' });
  if (done.status !== 0) fail('npm ci failed: see the lines above');
  writeFileSync(installStampFile, lockStamp());
}

function build() {
  console.error('slotline: building');
  const script = join(ROOT, 'scripts', 'build.mjs');
  const done = spawnSync(process.execPath, [script], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) fail('the build failed: see the lines above');
}

/** One preparation at a time, also when two terminals start at once. Answers the release. */
function lock() {
  const folder = join(ROOT, '.cache', 'prepare.lock');
  const owner = join(folder, 'pid');
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const deadline = Date.now() + LOCK_WAIT_MAX_MS;
  for (;;) {
    try {
      mkdirSync(folder);
      writeFileSync(owner, String(process.pid));
      return () => rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned(folder, owner)) rmSync(folder, { recursive: true, force: true });
    else if (Date.now() > deadline) fail(`another preparation holds ${folder}: remove it`);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
}

function isAbandoned(folder, owner) {
  const pid = Number(read(owner));
  if (!pid) {
    // Between the two steps of taking it; only a crash leaves it so for long.
    const stats = statSync(folder, { throwIfNoEntry: false });
    return stats !== undefined && Date.now() - stats.mtimeMs > 5000;
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

function fail(reason) {
  console.error(`slotline: ${reason}`);
  process.exit(1);
}
