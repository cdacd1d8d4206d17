/** The built page: a handful of files, read once, handed out compressed. */
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

export interface Asset {
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly type: string;
  /** Its name changes with its content. */
  readonly isHashed: boolean;
}

/** Where the build puts the page: the same way from this very file as from a program in `bin/` that it is part of. */
const PAGE_FOLDER = fileURLToPath(new URL('../dashboard/page/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/** The files of the page by their path in the URL; `/` is the page itself. */
export function loadAssets(folder: string = PAGE_FOLDER): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>();
  for (const path of filesBelow(folder)) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    const name = relative(folder, path).replaceAll('\\', '/');
    const body = readFileSync(path);
    const asset = { body, gzip: gzipSync(body), type, isHashed: name.startsWith('assets/') };
    assets.set(name === 'index.html' ? '/' : `/${name}`, asset);
  }
  return assets;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
