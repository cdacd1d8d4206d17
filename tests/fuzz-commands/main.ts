/**
 * `npm run fuzz:commands`: random programs on our server and on a real one side by side. Replies, errors, encodings,
 * keyspace events and DEBUG DIGEST must agree; a difference is made small and printed. Ends with status 1 if there was any.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../interop/harness/node-process.ts';
import { describe } from './finding.ts';
import { Generator, defaultLimits } from './generator.ts';
import { type Investigated, investigate, report } from './investigation.ts';
import { type Replicated, compareReplicas, untilLinked } from './replicas.ts';
import { Runner } from './runner.ts';
import { parseScript } from './script.ts';
import { Server } from './server.ts';
import { USAGE, readSettings, settingsOrExit } from './settings.ts';

const PROGRESS_PERIOD_MS = 5000;
const FINDINGS_FOLDER = join('.cache', 'fuzz-commands');

const settings = settingsOrExit(readSettings, USAGE);
const dir = mkdtempSync(join(tmpdir(), 'slotline-fuzz-'));
const servers: Server[] = [];
try {
  process.exitCode = await main();
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(dir, { recursive: true, force: true });
}

async function main(): Promise<number> {
  const [ours, real] = [await started('ours', settings.ours), await started('real', settings.real)];
  const pairs: Replicated[] = [];
  if (settings.hasReplicas) {
    pairs.push(
      { master: ours, replica: await started('real of ours', settings.real, ours) },
      { master: real, replica: await started('ours of real', settings.ours, real) },
    );
    for (const pair of pairs) await untilLinked(pair);
  }
  const afterwards = pairs.length === 0 ? {} : { afterwards: () => compareReplicas(pairs) };
  const runner = new Runner({ ours, real, defaults: defaultLimits(), ...afterwards });
  if (settings.replay !== undefined) return replay(runner, settings.replay);
  const known = new Set(await commandNames(ours));
  const all = await commandNames(real);
  const generator = new Generator({
    groups: settings.groups,
    isKnown: (name) => known.has(name) && all.includes(name),
    isReplicated: settings.hasReplicas,
  });
  const missing = all.filter((name) => !known.has(name) && !name.includes('|'));
  if (missing.length > 0) console.error(`left out, not there yet: ${missing.sort().join(' ')}`);
  console.error(`groups: ${generator.groupNames.join(' ')}`);
  return fuzz(runner, generator);
}

async function started(title: string, exe: string, master?: Server): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const server = new Server({
    title,
    exe,
    port,
    dir: join(dir, String(port)),
    ...(master === undefined ? {} : { masterPort: master.process.port }),
  });
  servers.push(server);
  await server.start();
  return server;
}

async function commandNames(server: Server): Promise<string[]> {
  const names = await server.process.call('COMMAND', 'LIST');
  return Array.isArray(names) ? names.map(String) : [];
}

async function replay(runner: Runner, file: string): Promise<number> {
  const program = parseScript(readFileSync(file, 'latin1'));
  const finding = (await runner.run(program)) ?? (await runner.run(program, true));
  if (finding === undefined) {
    console.log(`fuzz:commands: ${program.steps.length} commands of ${file}: no difference`);
    return 0;
  }
  console.log(report({ signature: '', program, finding, isSteady: true }));
  return 1;
}

async function fuzz(runner: Runner, generator: Generator): Promise<number> {
  const { seed, commands, from, findings } = settings;
  const found = new Map<string, Investigated>();
  const begin = performance.now();
  let shownAt = begin;
  let number = from;
  let done = 0;
  let next = generator.program(seed, number);
  while (done < commands && found.size < findings) {
    const program = next;
    const running = runner.run(program);
    // Made while the servers work.
    next = generator.program(seed, ++number);
    const finding = await running;
    done += program.steps.length;
    if (finding !== undefined) {
      const result = await investigate(runner, program, finding);
      if (!found.has(result.signature)) {
        found.set(result.signature, result);
        show(result, number - 1, found.size);
      }
    }
    if (performance.now() - shownAt > PROGRESS_PERIOD_MS) {
      shownAt = performance.now();
      const rate = Math.round((done * 1000) / (shownAt - begin));
      console.error(`${done} commands, program ${number}, ${rate}/s, ${found.size} findings`);
    }
  }
  const seconds = (performance.now() - begin) / 1000;
  const outcome = found.size === 0 ? 'no difference' : `${found.size} different findings`;
  console.log(
    `fuzz:commands: ${done} commands in ${number - from} programs, seed ${seed}, ` +
      `${seconds.toFixed(0)} s (${Math.round(done / seconds)}/s): ${outcome}`,
  );
  return found.size === 0 ? 0 : 1;
}

function show(result: Investigated, number: number, count: number): void {
  const again = `npm run fuzz:commands -- --seed ${settings.seed} --from ${number}`;
  const groups = [...settings.groups].join();
  const text = `${report(result)}\n`;
  mkdirSync(FINDINGS_FOLDER, { recursive: true });
  const file = join(FINDINGS_FOLDER, `${settings.seed}-${number}.txt`);
  writeFileSync(file, text.replace(/^(?=(?: {2}|\w+ after: ))/gm, '# '), 'latin1');
  // What does not fail again was not made small.
  const told = result.isSteady ? text : `${describe(result.finding)} (did not fail again)\n`;
  console.log(`\n--- finding ${count}: ${again} --groups ${groups}; ${file}\n${told}`);
}
