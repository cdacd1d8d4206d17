/** Goal: clients that read each `*_version` of INFO as numbers, as the Rust one's tests do, can. Method: the shape of both. */
import { expect, test } from 'vitest';
import { machineFacts } from './system.ts';

test('the versions that INFO shows of program and runtime are three numbers', () => {
  expect(machineFacts.runtimeVersion).toMatch(/^\d+\.\d+\.\d+$/);
  expect(machineFacts.version).toMatch(/^\d+\.\d+\.\d+$/);
});
