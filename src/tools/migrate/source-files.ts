/** Files as a source: a snapshot, an append-only file of old, or a directory of parts with a manifest. */
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseManifest } from '../../aof/index.ts';
import { ToolError } from '../errors.ts';

const MANIFEST = '.manifest';
/** Read at a time. */
export const PIECE_BYTES: number = 256 * 1024;

/** The files at `path`, in the order in which they are to be read. Throws ToolError. */
export function filesAt(path: string): readonly string[] {
  try {
    if (statSync(path).isDirectory()) return partsOf(manifestIn(path));
    return path.endsWith(MANIFEST) ? partsOf(path) : [path];
  } catch (error) {
    if (error instanceof ToolError) throw error;
    throw unreadable(path, error);
  }
}

/** Their size in bytes. */
export function sizeOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + statSync(path).size, 0);
}

/** Bytes of a file, a piece at a time. Throws ToolError. */
export async function* piecesOf(path: string): AsyncGenerator<Buffer> {
  const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: PIECE_BYTES });
  try {
    for await (const piece of stream) yield piece;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function manifestIn(folder: string): string {
  const names = readdirSync(folder).filter((name) => name.endsWith(MANIFEST));
  const [name] = names;
  if (name === undefined || names.length > 1) {
    const found = names.length === 0 ? 'no manifest' : `${names.length} manifests`;
    throw new ToolError('USAGE', `Cannot read "${folder}": it has ${found} of an append-only file`);
  }
  return join(folder, name);
}

function partsOf(manifestPath: string): readonly string[] {
  const parsed = parseManifest(readFileSync(manifestPath, 'utf8'));
  if (!parsed.ok) {
    throw new ToolError(
      'USAGE',
      `Cannot read "${manifestPath}": ${parsed.reason}, line ${parsed.line}`,
    );
  }
  const { base, incremental } = parsed.manifest;
  const files = [...(base === undefined ? [] : [base]), ...incremental];
  return files.map(({ name }) => join(dirname(manifestPath), name));
}

function unreadable(path: string, error: unknown): ToolError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ToolError('LOCAL', `Cannot read "${path}": ${reason}`, error);
}
