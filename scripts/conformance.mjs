/**
 * `npm run conformance [-- SUITE [UNIT...]]`: units of the official Redis 7.0.15 test suites against our server.
 * Without arguments: the units that the project promises. Needs tcl, python3, redis-server and redis-tools, and the
 * runner's folder; the test tree itself is fetched once to a cache outside the project and is never part of it.
 *
 * Environment: CONFORMANCE_DIR (the runner, default ../shared/conformance), CONFORMANCE_CACHE (default
 * ~/.cache/slotline-conformance), SERVER (default dist/bin/slotline-server.js), and the runner's own SUITE_*.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ROOT } from './project.mjs';

/** Suites and units that must pass, with the runner's variables for each run. */
const PROMISED = [
  {
    suite: 'unit',
    units: ['unit/quit', 'unit/type/incr', 'unit/auth', 'unit/cluster', 'unit/cluster/misc'],
  },
  {
    suite: 'cluster',
    units: [
      '00-base',
      '01-faildet',
      '02-failover',
      '06-slave-stop-cond',
      '08-update-msg',
      '11-manual-takeover',
      '13-no-failover-option',
      '18-info',
      '19-cluster-nodes-slots',
      '23-multiple-slot-operations',
      '29-slot-migration-response',
    ],
  },
  { suite: 'cluster', units: ['00-base', '01-faildet', '02-failover'], env: { SUITE_MIX: 'odd' } },
];

const runner = resolve(ROOT, process.env['CONFORMANCE_DIR'] ?? '../shared/conformance');
const cache = process.env['CONFORMANCE_CACHE'] ?? join(homedir(), '.cache', 'slotline-conformance');
const server = resolve(ROOT, process.env['SERVER'] ?? 'dist/bin/slotline-server.js');

if (!existsSync(join(runner, 'run-suite.sh'))) {
  stop(`no run-suite.sh in ${runner}: set CONFORMANCE_DIR to the folder that holds the runner`);
}
if (!existsSync(server)) stop(`no executable ${server}: run npm run build, or set SERVER`);
const fetched = spawnSync(join(runner, 'get-tests.sh'), [cache], { stdio: ['ignore', 2, 2] });
if (fetched.status !== 0) stop('the test tree could not be fetched: see the lines above');

const [suite, ...units] = process.argv.slice(2);
const runs = suite === undefined ? PROMISED : [{ suite, units }];
const lines = [];
let failed = 0;
for (const run of runs) {
  const done = spawnSync(join(runner, 'run-suite.sh'), [server, run.suite, ...run.units], {
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
    env: { SUITE_TREE: join(cache, 'redis-7.0.15'), ...process.env, ...run.env },
  });
  process.stdout.write(done.stdout);
  const mix = run.env?.SUITE_MIX ? ` (mix ${run.env.SUITE_MIX})` : '';
  const total = /^TOTAL .*$/m.exec(done.stdout)?.[0] ?? 'TOTAL missing';
  lines.push(`${run.suite}${mix}: ${total}`);
  if (done.status !== 0) failed++;
}
if (lines.length > 1) console.log(`\n${lines.join('\n')}`);
process.exitCode = failed > 0 ? 1 : 0;

function stop(reason) {
  console.error(`conformance: ${reason}`);
  process.exit(2);
}
