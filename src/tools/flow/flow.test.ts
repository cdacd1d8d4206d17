import { expect, test } from 'vitest';
import { keySlot } from '../../base/index.ts';
import {
  Gate,
  ProgressKeys,
  isProgressKey,
  parseDatabases,
  readKeys,
  readScanPage,
} from './index.ts';

test('a gate runs no more jobs at once than it may, and throws what one threw', async () => {
  const gate = new Gate(2);
  let running = 0;
  let most = 0;
  const job = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  };
  for (let i = 0; i < 9; i++) await gate.start(job);
  await gate.drain();
  expect(most).toBe(2);
  await gate.start(() => Promise.reject(new Error('broken')));
  await expect(gate.drain()).rejects.toThrow('broken');
});

test('databases are read as pairs, one number meaning itself', () => {
  expect(parseDatabases('0:5, 3')).toEqual([
    { source: 0, target: 5 },
    { source: 3, target: 3 },
  ]);
  expect(parseDatabases(undefined)).toBeUndefined();
  expect(() => parseDatabases('0-5')).toThrow('write source:target');
});

test('a page of SCAN is the cursor and views of the keys, and an error is no page', () => {
  const reply = Buffer.from('??*2\r\n$2\r\n17\r\n*2\r\n$1\r\na\r\n$12\r\nabcdefghijkl\r\n');
  const page = readScanPage(reply, 2);
  expect(page?.cursor).toBe('17');
  const { at = [], size = [] } = page?.keys ?? {};
  expect(at.map((from, i) => reply.toString('latin1', from, from + (size[i] ?? 0)))).toEqual([
    'a',
    'abcdefghijkl',
  ]);
  expect(readScanPage(Buffer.from('-NOPERM no\r\n'), 0)).toBeUndefined();
});

test('keys of a slot are views of the reply, and an error is none', () => {
  const reply = Buffer.from('?*2\r\n$1\r\na\r\n$0\r\n\r\n');
  const { at = [], size = [] } = readKeys(reply, 1) ?? {};
  expect(at.map((from, i) => reply.toString('latin1', from, from + (size[i] ?? 0)))).toEqual([
    'a',
    '',
  ]);
  expect(readKeys(Buffer.from('*0\r\n'), 0)?.at).toEqual([]);
  expect(readKeys(Buffer.from('-ERR Invalid slot\r\n'), 0)).toBeUndefined();
});

test('keys that hold the progress of a migration lie in their slot and are told from others', () => {
  const keys = new ProgressKeys('0123', true);
  for (const slot of [0, 5461, 16383]) {
    for (const name of [keys.position(slot), keys.mark(slot)]) {
      const bytes = Buffer.from(`x${name}`);
      expect(keySlot(bytes, 1, bytes.length - 1)).toBe(slot);
      expect(isProgressKey(bytes, 1, bytes.length - 1)).toBe(true);
    }
  }
  expect(isProgressKey(Buffer.from('slotline:migration'), 0, 18)).toBe(false);
  expect(new ProgressKeys('0123', false).position(0)).toBe('slotline:migrate:0123:at');
});
