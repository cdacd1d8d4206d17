/**
 * `npm run bench [-- node|failover|all [FLAG...]]`: speed, memory and failover beside the redis-server of this
 * machine in one run. Flags after the name go to the measuring script. Needs redis-server and redis-tools.
 * Environment: MEASURE_DIR (default ../shared/measure), SERVER (default dist/bin/slotline-server.js).
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT } from './project.mjs';

const SCRIPTS = { node: 'node-bench.mjs', failover: 'failover.mjs' };

const measure = resolve(ROOT, process.env['MEASURE_DIR'] ?? '../shared/measure');
const server = resolve(ROOT, process.env['SERVER'] ?? 'dist/bin/slotline-server.js');
const given = process.argv.slice(2);
const name = given[0] === undefined || given[0].startsWith('-') ? 'all' : given.shift();
const chosen = name === 'all' ? Object.keys(SCRIPTS) : [name];

if (!chosen.every((each) => each in SCRIPTS)) stop(`no measure "${name}": node, failover or all`);
if (!existsSync(measure)) stop(`no folder ${measure}: set MEASURE_DIR to the measuring scripts`);
if (!existsSync(server)) stop(`no executable ${server}: run npm run build, or set SERVER`);

let failed = 0;
for (const each of chosen) {
  console.log(`# ${each}, ${process.version}, ${new Date().toISOString().slice(0, 10)}`);
  const done = spawnSync(process.execPath, [join(measure, SCRIPTS[each]), ...given], {
    stdio: 'inherit',
    env: { ...process.env, SERVER: server },
  });
  if (done.status !== 0) failed++;
}
process.exitCode = failed > 0 ? 1 : 0;

function stop(reason) {
  console.error(`bench: ${reason}`);
  process.exit(2);
}
