import { expect, test } from 'vitest';
import { ToolError } from '../errors.ts';
import { UP_DEFAULTS, type UpRequest, nodePorts, resolveShape } from './options.ts';

const NOTHING: UpRequest = {
  masters: undefined,
  replicas: undefined,
  port: undefined,
  bind: undefined,
  nodeTimeoutMs: undefined,
};

test('nothing said means three masters with a replica each on ports 7000 to 7005', () => {
  const shape = resolveShape(NOTHING);
  expect(shape).toEqual(UP_DEFAULTS);
  expect(nodePorts(shape)).toEqual([7000, 7001, 7002, 7003, 7004, 7005]);
});

test('an existing cluster says what was not said, and takes a new bind and node timeout only', () => {
  const existing = { ...UP_DEFAULTS, port: 8000, masters: 4 };
  expect(resolveShape(NOTHING, existing)).toEqual(existing);
  expect(resolveShape({ ...NOTHING, port: 8000, nodeTimeoutMs: 900 }, existing)).toEqual({
    ...existing,
    nodeTimeoutMs: 900,
  });
  expect(refusalOf({ port: 7000 }, existing)).toContain('--port 8000');
  expect(refusalOf({ masters: 3 }, existing)).toContain('--masters 4');
  expect(refusalOf({ replicas: 2 }, existing)).toContain('--replicas 1');
});

test('values out of range are usage errors that name the flag', () => {
  const rows: readonly (readonly [Partial<UpRequest>, string])[] = [
    [{ masters: 2 }, '--masters'],
    [{ masters: 3.5 }, '--masters'],
    [{ masters: 60, replicas: 1 }, 'lower --masters or --replicas'],
    [{ replicas: -1 }, '--replicas'],
    [{ port: 0 }, '--port'],
    [{ port: 55_536 }, '--port'],
    [{ port: 55_531 }, 'take 55530 or lower'],
    [{ nodeTimeoutMs: 1 }, '--node-timeout'],
    [{ bind: 'localhost' }, '--bind'],
    [{ bind: '0.0.0.0' }, '--bind 0.0.0.0'],
    [{ bind: '::' }, '--bind ::'],
  ];
  for (const [said, text] of rows) expect(refusalOf(said)).toContain(text);
  expect(resolveShape({ ...NOTHING, port: 55_530 }).port).toBe(55_530);
});

function refusalOf(said: Partial<UpRequest>, existing?: typeof UP_DEFAULTS): string {
  try {
    resolveShape({ ...NOTHING, ...said }, existing);
  } catch (error) {
    if (error instanceof ToolError && error.status === 2) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}
