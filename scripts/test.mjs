/**
 * `npm test`: types, the page's too, lint, package, unused, format, two of these at once, then tidy, unit and interop one after the
 * other, and a line of sums at the end. Everything runs even when something failed before, so that one run shows all there is to mend.
 * Arguments choose steps by name: `npm test -- lint unit`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT, tool } from './project.mjs';

const work = join(ROOT, '.cache', `test-${process.pid}`);
mkdirSync(work, { recursive: true });
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const CHECKS = {
  format: () => check('prettier', 'prettier', ['--check', '--log-level', 'warn', '.']),
  types: () => check('typescript', 'tsc', ['--noEmit']),
  page: () => check('typescript', 'tsc', ['--noEmit', '-p', 'src/dashboard/page']),
  lint: () => check('oxlint', 'oxlint', ['--type-aware', '--deny-warnings']),
  package: () => check('publint', 'publint', ['run', '.', '--strict', '--pack', 'false']),
  unused: () => check('knip', 'knip', ['--no-progress', '--no-config-hints']),
};
const PROJECTS = ['tidy', 'unit', 'interop'];
const CHECKS_AT_ONCE = 2;
/** A test that never gives the event loop back cannot be ended by its own bound. */
const PROJECT_MS_MAX = 15 * 60 * 1000;

const wanted = process.argv.slice(2);
const steps = [...Object.keys(CHECKS), ...PROJECTS];
const unknown = wanted.filter((name) => !steps.includes(name));
if (unknown.length > 0) {
  console.error(`test: no step "${unknown[0]}"; there are ${steps.join(', ')}`);
  process.exit(2);
}

const sum = { passed: 0, failed: 0, skipped: 0 };
const table = [];
const isWanted = (name) => wanted.length === 0 || wanted.includes(name);

const waiting = Object.entries(CHECKS).filter(([name]) => isWanted(name));
await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, runChecks));
for (const name of PROJECTS.filter(isWanted)) {
  console.log(`\n== ${name}`);
  const started = Date.now();
  add(name, started, vitest(name));
}

console.log('\n== results');
for (const { name, passed, failed, skipped, seconds } of table) {
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  console.log(
    `${failed > 0 ? 'FAIL' : 'ok  '} ${name.padEnd(8)} ${counts}, ${seconds.toFixed(1)} s`,
  );
}
if (sum.skipped > 0) {
  if (findProgram('redis-server') === undefined)
    warnAboutSkips('redis-server', 'beside the real one');
  if (findProgram('chromium') === undefined) warnAboutSkips('chromium', 'of the dashboard');
}
console.log('');
console.log(
  `${sum.passed} passed, ${sum.failed} failed` +
    (sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''),
);
process.exitCode = sum.failed > 0 ? 1 : 0;

/** Checks from those that wait, one after the other. */
async function runChecks() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [name, run] = next;
    const started = Date.now();
    const { isRight, output } = await run();
    console.log(`\n== ${name}\n${output}`.trimEnd());
    add(name, started, { passed: isRight ? 1 : 0, failed: isRight ? 0 : 1, skipped: 0 });
  }
}

function add(name, started, result) {
  for (const key of Object.keys(sum)) sum[key] += result[key];
  table.push({ name, ...result, seconds: (Date.now() - started) / 1000 });
}

/** A tool that is one check: whether it is content, and all that it said. */
function check(packageName, program, args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [tool(packageName, program), ...args], { cwd: ROOT });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.on('close', (status) => resolve({ isRight: status === 0, output }));
  });
}

/** The tests of one vitest project, counted from its own report. */
function vitest(project) {
  const report = join(work, `${project}.json`);
  const args = ['run', '--project', project, '--passWithNoTests', '--no-color'];
  args.push('--reporter=default', '--reporter=json', `--outputFile.json=${report}`);
  const done = spawnSync(process.execPath, [tool('vitest', 'vitest'), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    timeout: PROJECT_MS_MAX,
  });
  if (!existsSync(report)) {
    const failed = done.status === 0 ? 0 : 1;
    return { passed: 0, failed, skipped: 0 };
  }
  const json = JSON.parse(readFileSync(report, 'utf8'));
  // A file that cannot be loaded has no tests in the report, yet it failed.
  const brokenFiles = json.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
  ).length;
  const failed = json.numFailedTests + brokenFiles;
  return {
    passed: json.numPassedTests,
    failed: failed === 0 && done.status !== 0 ? 1 : failed,
    skipped: json.numPendingTests + json.numTodoTests,
  };
}

function findProgram(name) {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function warnAboutSkips(program, which) {
  const lines = [
    `${program} is not installed: tests ${which} were SKIPPED.`,
    `On Debian and Ubuntu: apt-get install ${program}`,
  ];
  const bar = '*'.repeat(72);
  console.log(`\n${bar}`);
  for (const line of lines) console.log(`*  ${line.padEnd(66)}  *`);
  console.log(bar);
}
