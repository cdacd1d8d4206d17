/**
 * `node scripts/run-ts.mjs ENTRY [ARGUMENT...]`: runs a TypeScript program of the project that is not part of the
 * package, such as the simulator. Node 20 cannot read TypeScript, so the entry and what it imports become one file in
 * .cache/run, which is imported here: same process, same exit code, stack traces with the original lines. The
 * program may start workers from its own `import.meta.url`.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { ROOT } from './project.mjs';

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) {
  console.error('usage: run-ts.mjs ENTRY [ARGUMENT...]');
  process.exit(2);
}
const input = resolve(ROOT, entry);
const folder = join(ROOT, '.cache', 'run');
// Of this process alone: two runs at once may be of two states of the source.
const file = join(folder, `${basename(input, '.ts')}-${process.pid}.mjs`);
mkdirSync(folder, { recursive: true });

const build = await rolldown({
  input,
  platform: 'node',
  external: [/^node:/, /^[a-z@][^:]*$/],
  logLevel: 'warn',
});
await build.write({ file, format: 'esm', sourcemap: 'inline', codeSplitting: false });
await build.close();

process.on('exit', removeFile);
process.setSourceMapsEnabled(true);
process.argv = [process.execPath, file, ...args];
await import(pathToFileURL(file).href);

function removeFile() {
  rmSync(file, { force: true });
}
