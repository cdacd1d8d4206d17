/**
 * `npm run build`: src/ to dist/.
 * tsc writes one module a file with declarations (the library and the tools); rolldown then writes the server
 * as one file, because twenty processes start at once in the cluster suites and one file loads fastest.
 * Everything is made beside dist/ and moved into place at the end, so that a reader never sees half a build.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { rolldown } from 'rolldown';
import { build as buildWithVite } from 'vite';
import { ROOT, buildStamp, tool } from './project.mjs';

const SHEBANG = '#!/usr/bin/env node\n';
/** Programs that are bundled into one file each; the others stay as tsc writes them. */
const BUNDLED = ['slotline-server', 'slotline-sentinel'];

/** What the page has inside it, and where its licence stands. */
const PAGE_PACKAGES = [
  { name: 'svelte', file: 'LICENSE.md' },
  { name: 'uplot', file: 'LICENSE' },
];

/** What a server loads on demand stays beside it, as tsc wrote it: metrics need packages that the engine does not. */
const asItIs = {
  name: 'loaded-on-demand',
  resolveId: (source) =>
    source === '../tools/metrics/index.ts'
      ? { id: '../tools/metrics/index.js', external: 'relative' }
      : undefined,
};

const stamp = buildStamp();
const work = join(ROOT, '.cache', `build-${process.pid}`);
const fresh = join(work, 'dist');
const dist = join(ROOT, 'dist');
mkdirSync(work, { recursive: true });
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

// Types are `npm run typecheck`'s business: the build only strips them.
const tsc = tool('typescript', 'tsc');
const compiled = spawnSync(
  process.execPath,
  [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--outDir', fresh],
  { cwd: ROOT, stdio: 'inherit' },
);
if (compiled.status !== 0) {
  console.error('build: tsc failed');
  process.exit(1);
}
for (const name of BUNDLED) await bundle(name);
await buildPage();
await makeExecutables();
writeFileSync(join(fresh, '.stamp'), stamp);
moveIntoPlace();

async function bundle(name) {
  const input = join(ROOT, 'src', 'bin', `${name}.ts`);
  if (!existsSync(input)) return;
  const build = await rolldown({
    input,
    platform: 'node',
    external: [/^node:/, 'commander'],
    plugins: [asItIs],
    logLevel: 'warn',
  });
  await build.write({
    dir: join(fresh, 'bin'),
    format: 'esm',
    entryFileNames: `${name}.js`,
    chunkFileNames: `${name}-[hash].js`,
    codeSplitting: false,
    comments: false,
  });
  await build.close();
}

/** The dashboard's page: one HTML file, one script, one style sheet, and the licences of what is inside them. */
async function buildPage() {
  const root = join(ROOT, 'src', 'dashboard', 'page');
  const outDir = join(fresh, 'dashboard', 'page');
  await buildWithVite({
    root,
    configFile: false,
    base: './',
    logLevel: 'warn',
    // Its own defaults look for a configuration beside the page.
    plugins: [svelte({ configFile: false })],
    // The policy of the page allows its own files only, so nothing is inlined.
    build: {
      outDir,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      modulePreload: false,
      target: 'es2022',
      cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
      rolldownOptions: { checks: { bundlerTimings: false } },
    },
  });
  const licences = PAGE_PACKAGES.map(({ name, file }) => {
    const text = readFileSync(join(ROOT, 'node_modules', name, file), 'utf8').trim();
    return `${name}\n\n${text}\n`;
  });
  writeFileSync(join(outDir, 'licences.txt'), licences.join('\n'));
}

async function makeExecutables() {
  const bin = join(fresh, 'bin');
  if (!existsSync(bin)) return;
  const runtime = await import(pathToFileURL(join(bin, 'node-flags.js')).href);
  for (const file of readdirSync(bin).filter((name) => /^slotline(-[a-z]+)?\.js$/.test(name))) {
    const path = join(bin, file);
    const code = readFileSync(path, 'utf8').replace(/^#!.*\n/, '');
    const isServer = BUNDLED.some((name) => file === `${name}.js`);
    const flags = file.includes('sentinel') ? runtime.SENTINEL_FLAGS : runtime.NODE_FLAGS;
    const head = isServer ? serverHead(flags, runtime.NODE_ENVIRONMENT) : SHEBANG;
    writeFileSync(path, head + code);
    chmodSync(path, 0o755);
  }
}

/**
 * A first line cannot pass flags everywhere, so the server's file is a shell script too: the shell takes the second line
 * for a command that replaces it by node, node takes it for a string and a comment. The process id stays the same. Where
 * there is no shell (Windows), `slotline server` is the same program.
 */
function serverHead(flags, environment) {
  const settings = Object.entries(environment).map(
    ([name, value]) => `${name}=\${${name}:-${value}}`,
  );
  return `#!/usr/bin/env sh\n":" //; ${settings.join(' ')} exec node ${flags.join(' ')} "$0" "$@"\n`;
}

function moveIntoPlace() {
  for (let tries = 1; ; tries++) {
    try {
      if (existsSync(dist)) renameSync(dist, join(work, `old-${tries}`));
      renameSync(fresh, dist);
      return;
    } catch (error) {
      // Another build moved at the same moment; the last one wins.
      const isRace = ['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code);
      if (!isRace || tries >= 5) throw error;
    }
  }
}
