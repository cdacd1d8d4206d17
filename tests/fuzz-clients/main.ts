/**
 * `npm run fuzz:clients`: random programs of several clients on our server and on a real one side by side. What every
 * client receives, who waits, and the data must agree after each step; a difference is made small and printed. Ends with
 * status 1 if there was any.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingsOrExit } from '../fuzz-commands/settings.ts';
import { freePorts } from '../interop/harness/node-process.ts';
import { makeProgram } from './generator.ts';
import { type Investigated, investigate, report } from './investigation.ts';
import { Runner } from './runner.ts';
import { parseScript } from './script.ts';
import { USAGE, readSettings } from './settings.ts';
import { Side } from './side.ts';

const PROGRESS_PERIOD_MS = 5000;
const FINDINGS_FOLDER = join('.cache', 'fuzz-clients');

const settings = settingsOrExit(readSettings, USAGE);
const dir = mkdtempSync(join(tmpdir(), 'slotline-fuzz-'));
const sides: Side[] = [];
try {
  process.exitCode = await main();
} finally {
  await Promise.all(sides.map((side) => side.stop()));
  rmSync(dir, { recursive: true, force: true });
}

async function main(): Promise<number> {
  const program = settings.replay === undefined ? undefined : readProgram(settings.replay);
  const ours = await started('ours', settings.ours);
  const real = await started('real', settings.real);
  const runner = new Runner(ours, real);
  if (program === undefined) return fuzz(runner);
  const finding = await runner.run(program);
  if (finding === undefined) {
    console.log(`fuzz:clients: ${program.length} steps of ${settings.replay}: no difference`);
    return 0;
  }
  console.log(report({ signature: '', program, finding, isSteady: true }));
  return 1;
}

function readProgram(file: string): ReturnType<typeof parseScript> {
  return parseScript(readFileSync(file, 'latin1'));
}

async function started(title: string, exe: string): Promise<Side> {
  const [port = 0] = await freePorts(1);
  const side = new Side({ title, exe, port, dir: join(dir, title) });
  sides.push(side);
  await side.start();
  return side;
}

async function fuzz(runner: Runner): Promise<number> {
  const { seed, programs, from, findings } = settings;
  const found = new Map<string, Investigated>();
  const begin = performance.now();
  let shownAt = begin;
  let number = from;
  for (; number < from + programs && found.size < findings; number++) {
    const program = makeProgram(seed, number);
    const finding = await runner.run(program);
    if (finding !== undefined) {
      const result = await investigate((each) => runner.run(each), program, finding);
      if (!found.has(result.signature)) {
        found.set(result.signature, result);
        show(result, number, found.size);
      }
    }
    if (performance.now() - shownAt > PROGRESS_PERIOD_MS) {
      shownAt = performance.now();
      const rate = Math.round((runner.tally.steps * 1000) / (shownAt - begin));
      console.error(`program ${number}, ${rate} steps/s, ${found.size} findings`);
    }
  }
  const seconds = (performance.now() - begin) / 1000;
  const { steps, blockedPeak, messages } = runner.tally;
  const outcome = found.size === 0 ? 'no difference' : `${found.size} different findings`;
  console.log(
    `fuzz:clients: ${steps} steps in ${number - from} programs, seed ${seed}, ${seconds.toFixed(0)} s ` +
      `(${Math.round(steps / seconds)}/s), ${blockedPeak} blocked at most, ${messages} messages: ${outcome}`,
  );
  return found.size === 0 ? 0 : 1;
}

function show(result: Investigated, number: number, count: number): void {
  const again = `npm run fuzz:clients -- --seed ${settings.seed} --from ${number} --programs 1`;
  const text = `${report(result)}\n`;
  mkdirSync(FINDINGS_FOLDER, { recursive: true });
  const file = join(FINDINGS_FOLDER, `${settings.seed}-${number}.txt`);
  writeFileSync(file, text, 'latin1');
  console.log(`\n--- finding ${count}: ${again}; ${file}\n${text}`);
}
