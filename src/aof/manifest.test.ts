/** Manifests as redis-server 7.0.15 writes them, and lines that it refuses. */
import { expect, test } from 'vitest';
import { type AofManifest, manifestText, parseManifest } from './index.ts';

const TEXT =
  'file appendonly.aof.2.base.rdb seq 2 type b\n' +
  'file appendonly.aof.1.incr.aof seq 1 type h\n' +
  'file appendonly.aof.2.incr.aof seq 2 type i\n' +
  'file appendonly.aof.3.incr.aof seq 3 type i\n';

test('a manifest is read and written as it is', () => {
  const parsed = parseManifest(TEXT);
  expect(parsed.ok && manifestText(parsed.manifest)).toBe(TEXT);
  expect(parsed.ok && parsed.manifest.base?.seq).toBe(2);
  expect(parsed.ok && parsed.manifest.incremental.map(({ seq }) => seq)).toEqual([2, 3]);
});

test('names that need it are quoted', () => {
  const manifest: AofManifest = {
    base: { name: 'file "x" 1', seq: 1, kind: 'base' },
    history: [],
    incremental: [],
  };
  const text = manifestText(manifest);
  expect(text).toBe('file "file \\"x\\" 1" seq 1 type b\n');
  expect(parseManifest(text)).toEqual({ ok: true, manifest });
});

test('comments and unknown pairs are passed over', () => {
  const parsed = parseManifest('# note\nfile a seq 1 type b since yesterday\n');
  expect(parsed.ok && parsed.manifest.base?.name).toBe('a');
});

test.each([
  ['', 'Found an empty AOF manifest', 0],
  ['file a seq 1 type b', 'The AOF manifest file contains too long line', 1],
  ['file a seq 1 type x\n', 'Unknown AOF file type', 1],
  ['file a seq 0 type b\n', 'Invalid AOF manifest file format', 1],
  ['file a seq 1\n', 'Invalid AOF manifest file format', 1],
  ['\n', 'Invalid AOF manifest file format', 1],
  ['file ../a seq 1 type b\n', "File can't be a path, just a filename", 1],
  ['file a seq 1 type b\nfile b seq 2 type b\n', 'Found duplicate base file information', 2],
  ['file a seq 2 type i\nfile b seq 1 type i\n', 'Found a non-monotonic sequence number', 2],
  [`file ${'a'.repeat(1030)} seq 2 type i\n`, 'The AOF manifest file contains too long line', 1],
])('%j is refused: %s', (text, reason, line) => {
  expect(parseManifest(text)).toMatchObject({ ok: false, reason, line });
});
