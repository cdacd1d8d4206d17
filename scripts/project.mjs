/** What the scripts share: where the project is, its tools, and the stamps that say whether a step is due. Node only. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What a build depends on beside src/. */
const BUILD_INPUTS = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/build.mjs',
  'scripts/project.mjs',
];

const TEST_FILE = /\.test\.ts$|^test-.*\.ts$/;

/** The script file behind a package's command, so that no shell and no npx start-up is paid. */
export function tool(packageName, command) {
  const folder = join(ROOT, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

/** Files below `folder`, tests left out. */
export function sourceFiles(folder) {
  if (!existsSync(folder)) return [];
  const files = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...sourceFiles(path));
    else if (!TEST_FILE.test(entry.name)) files.push(path);
  }
  return files;
}

/** Changes whenever a file that the build reads changes in name, size or time. */
export function buildStamp() {
  const hash = createHash('sha1');
  const inputs = BUILD_INPUTS.map((name) => join(ROOT, name)).filter((path) => existsSync(path));
  for (const path of [...sourceFiles(join(ROOT, 'src')), ...inputs].sort()) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${relative(ROOT, path)}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Changes with the content of package-lock.json. */
export function lockStamp() {
  const lock = readFileSync(join(ROOT, 'package-lock.json'));
  return createHash('sha1').update(lock).digest('hex');
}
