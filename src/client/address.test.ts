import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClientError, formatAddress, parseAddress, parseSeeds } from './index.ts';

const plain = { tls: false, db: 0 };

test('an address is read in every form that users write', () => {
  const rows: readonly (readonly [string, object])[] = [
    ['10.0.0.1:7000', { host: '10.0.0.1', port: 7000, ...plain }],
    ['cache', { host: 'cache', port: 6379, ...plain }],
    [':7000', { host: '127.0.0.1', port: 7000, ...plain }],
    ['[::1]:7000', { host: '::1', port: 7000, ...plain }],
    ['redis://cache', { host: 'cache', port: 6379, ...plain }],
    [
      'redis://ann:p%40ss@cache:7000/3',
      { host: 'cache', port: 7000, username: 'ann', password: 'p@ss', tls: false, db: 3 },
    ],
    ['redis://:secret@[::1]:7000', { host: '::1', port: 7000, password: 'secret', ...plain }],
    ['rediss://cache:7000', { host: 'cache', port: 7000, tls: true, db: 0 }],
  ];
  for (const [text, address] of rows) {
    expect(parseAddress(text), text).toEqual(address);
  }
});

test('a text that is no address is refused with its reason, and a password in it is not repeated', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['', 'write host:port'],
    ['a:b', 'write host:port'],
    ['::1:7000', 'write host:port'],
    ['host:0', 'the port is not in 1 to 65535'],
    ['host:65536', 'the port is not in 1 to 65535'],
    ['http://host', 'only redis:// and rediss:// are known'],
    ['redis://host/first', 'the path is not a database number'],
    ['redis://u:secret%@host', 'two hexadecimal digits'],
    ['user:secret@host:7000', 'write host:port'],
  ];
  for (const [text, reason] of rows) {
    const refused = errorOf(() => parseAddress(text));
    expect(refused.code, text).toBe('BAD_ADDRESS');
    expect(refused.message, text).toContain(reason);
    expect(refused.message).not.toContain('secret');
  }
});

test('TLS options hold for every address that does not speak plainly', () => {
  const tls = { ca: 'PEM', checksHost: false };
  expect(parseAddress('cache:1', { tls }).tls).toBe(tls);
  expect(parseAddress('rediss://cache:1', { tls }).tls).toBe(tls);
  expect(parseAddress('redis://cache:1', { tls }).tls).toBe(false);
});

test('REDISCLI_AUTH fills in a missing password only', () => {
  const env = { REDISCLI_AUTH: 'from-env' };
  expect(parseAddress('cache:1', env).password).toBe('from-env');
  expect(parseAddress('redis://:own@cache:1', env).password).toBe('own');
  expect(parseAddress('cache:1', { REDISCLI_AUTH: '' }).password).toBeUndefined();
});

test('several seeds come from the arguments, or else from REDIS_URL', () => {
  const env = { REDIS_URL: 'redis://cache:7000,redis://cache:7001' };
  const names = (texts: readonly string[]): string[] => parseSeeds(texts, env).map(formatAddress);
  expect(names(['a:1, b:2', 'c:3'])).toEqual(['a:1', 'b:2', 'c:3']);
  expect(names([])).toEqual(['cache:7000', 'cache:7001']);
  expect(errorOf(() => parseSeeds([])).message).toContain('set REDIS_URL');
});

test('a formatted address is read back the same', () => {
  const host = fc.oneof(fc.ipV4(), fc.constantFrom('::1', 'fe80::1', 'cache-1.example'));
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65535 }), (name, port) => {
      expect(parseAddress(formatAddress({ host: name, port }))).toEqual({
        host: name,
        port,
        ...plain,
      });
    }),
    { seed: 1, numRuns: 100 },
  );
});

test('no text makes the reader throw anything but a refusal', () => {
  const part = fc.constantFrom(
    'redis',
    'rediss',
    '://',
    ':',
    '@',
    '/',
    '[',
    ']',
    '%',
    '7000',
    'h',
    '',
  );
  const texts = fc.array(part, { maxLength: 9 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, (text) => {
      try {
        parseAddress(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ClientError);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

function errorOf(body: () => unknown): ClientError {
  try {
    body();
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('no part of a password is shown, wherever the mistake is', () => {
  for (const text of ['redis://:se,cret@h:0x', 'redis://:secret', 'redis://u:secret']) {
    expect(() => parseSeeds([text], {})).toThrow();
    try {
      parseSeeds([text], {});
    } catch (error) {
      expect(String(error)).not.toMatch(/se|cret/);
    }
  }
});

test('a comma in a password does not end the address', () => {
  const seeds = parseSeeds(['redis://:se,cret@one:1,redis://two:2'], {});
  expect(seeds.map(({ host, port }) => [host, port])).toEqual([
    ['one', 1],
    ['two', 2],
  ]);
});
