import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Spool } from './spool.ts';

const CHUNK_BYTES = 100_000;

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'slotline-spool-'));
});

afterEach(() => rmSync(dir, { recursive: true }));

test('everything comes back in order, from memory and from disk, and the files go', async () => {
  const spool = new Spool({ dir, name: 's', memoryBytesMax: 600_000 });
  const sent: Buffer[] = [];
  spool.push('begin');
  for (let i = 0; i < 40; i++) {
    const chunk = Buffer.alloc(CHUNK_BYTES, i);
    sent.push(chunk);
    spool.push(i < 20 ? 'snapshot' : 'stream', chunk, 0, chunk.length);
    if (i === 19) spool.push('end');
  }
  expect(spool.heldBytes).toBe(40 * CHUNK_BYTES);
  expect(readdirSync(dir)).toHaveLength(1);
  const kinds: string[] = [];
  const got: Buffer[] = [];
  while (spool.heldBytes > 0) {
    const item = await spool.take();
    if (item === undefined) break;
    if (kinds.at(-1) !== item.kind) kinds.push(item.kind);
    got.push(item.bytes);
  }
  expect(kinds).toEqual(['begin', 'snapshot', 'end', 'stream']);
  expect(Buffer.concat(got).equals(Buffer.concat(sent))).toBe(true);
  spool.close();
  expect(readdirSync(dir)).toEqual([]);
});

test('a taker waits for what comes, and is told of the end', async () => {
  const spool = new Spool({ dir, name: 's' });
  const first = spool.take();
  spool.push('stream', Buffer.from('abc'), 1, 2);
  expect((await first)?.bytes.toString()).toBe('bc');
  const second = spool.take();
  spool.close();
  expect(await second).toBeUndefined();
});
