/**
 * `npm run build`: src/ to dist/.
 * tsc writes one module a file with declarations, for the library; rolldown then writes the programs: a server as one
 * file, because twenty processes start at once in the cluster suites and one file loads fastest, and `slotline` as a file
 * for what each command needs, because hundreds of small ones took longer to load than most commands run.
 * Everything is made beside dist/ and moved into place at the end, so that a reader never sees half a build.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
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
/** Programs of one file each. */
const SERVERS = ['slotline-server', 'slotline-sentinel'];

/** Packages stay where they are installed. */
const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const PACKAGES = new RegExp(`^(${Object.keys(dependencies).join('|')})(/|$)`);

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
const runtime = await import(pathToFileURL(join(fresh, 'bin', 'node-flags.js')).href);
// What tsc wrote of the programs is inside the bundles.
rmSync(join(fresh, 'bin'), { recursive: true });
for (const name of SERVERS) await bundleServer(name);
await bundle({ name: 'slotline', external: [PACKAGES] });
await buildPage();
makeExecutables();
writeFileSync(join(fresh, '.stamp'), stamp);
moveIntoPlace();

function bundleServer(name) {
  return bundle({ name, plugins: [asItIs], output: { codeSplitting: false } });
}

/** Files that stand beside each other in bin/, where they find what is beside that folder. */
async function bundle({ name, external = [], plugins = [], output = {} }) {
  const build = await rolldown({
    input: join(ROOT, 'src', 'bin', `${name}.ts`),
    platform: 'node',
    external: [/^node:/, ...external],
    plugins,
    logLevel: 'warn',
  });
  await build.write({
    dir: join(fresh, 'bin'),
    format: 'esm',
    entryFileNames: `${name}.js`,
    chunkFileNames: `${name}-[hash].js`,
    comments: false,
    ...output,
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

function makeExecutables() {
  for (const name of [...SERVERS, 'slotline']) {
    const path = join(fresh, 'bin', `${name}.js`);
    const code = readFileSync(path, 'utf8').replace(/^#!.*\n/, '');
    const flags = name.includes('sentinel') ? runtime.SENTINEL_FLAGS : runtime.NODE_FLAGS;
    const isServer = SERVERS.includes(name);
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
