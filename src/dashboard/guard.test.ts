import { expect, test } from 'vitest';
import { Guard, type RequestFacts } from './guard.ts';

const OPTIONS = { bind: '127.0.0.1', port: 7100, hosts: [], allowsActions: false };
const NOTHING: RequestFacts = {
  host: '127.0.0.1:7100',
  origin: undefined,
  cookie: undefined,
  authorization: undefined,
  csrf: undefined,
};

test('only names of this server are answered', () => {
  const guard = new Guard(OPTIONS);
  const known = (host: string | undefined): boolean => guard.knowsHost({ ...NOTHING, host });
  expect(['127.0.0.1:7100', 'LOCALHOST:7100', '[::1]:7100'].map(known)).toEqual([true, true, true]);
  for (const host of [
    undefined,
    '',
    'evil.example:7100',
    '127.0.0.1',
    '127.0.0.1:80',
    'a:b:7100',
  ]) {
    expect(known(host)).toBe(false);
  }
  const named = new Guard({ ...OPTIONS, bind: '10.0.0.1', hosts: ['ops.example'] });
  expect(named.knowsHost({ ...NOTHING, host: 'ops.example:7100' })).toBe(true);
  expect(named.knowsHost({ ...NOTHING, host: 'localhost:7100' })).toBe(false);
});

test('whoever acts has the cookie, comes from our page, and sends what only our page knows', () => {
  const guard = new Guard(OPTIONS);
  const cookie = guard.cookieFor(NOTHING).split(';')[0];
  const whole = { ...NOTHING, cookie, origin: 'http://127.0.0.1:7100', csrf: guard.csrf };
  expect(guard.refusalToAct(whole)).toBeUndefined();
  expect(guard.refusalToAct({ ...whole, cookie: undefined })).toContain('URL');
  expect(guard.refusalToAct({ ...whole, cookie: `${cookie}x` })).toContain('URL');
  expect(guard.refusalToAct({ ...whole, origin: 'http://evil.example' })).toContain('another page');
  expect(guard.refusalToAct({ ...whole, origin: undefined })).toContain('another page');
  expect(guard.refusalToAct({ ...whole, csrf: undefined })).toContain('load it again');
});

test('outside loopback nobody looks without the token, and nobody acts unless that was asked for', () => {
  const open = new Guard({ ...OPTIONS, bind: '10.0.0.1' });
  expect(open.mayLook(NOTHING)).toBe(false);
  expect(open.mayLook({ ...NOTHING, authorization: `Bearer ${open.token}` })).toBe(true);
  expect(open.mayLook({ ...NOTHING, authorization: 'Bearer x' })).toBe(false);
  expect(open.allowsActions).toBe(false);
  expect(open.refusalToAct({ ...NOTHING, cookie: open.cookieFor(NOTHING) })).toContain(
    '--allow-actions',
  );
  expect(new Guard({ ...OPTIONS, bind: '10.0.0.1', allowsActions: true }).allowsActions).toBe(true);
  expect(new Guard(OPTIONS).mayLook(NOTHING)).toBe(true);
});

test('behind a proxy with TLS the token is needed to look, and our page is of its origin', () => {
  const hosts = ['https://ops.example'];
  const guard = new Guard({ ...OPTIONS, hosts, allowsActions: true });
  const asked = { ...NOTHING, host: 'ops.example' };
  expect(guard.knowsHost(asked)).toBe(true);
  expect(guard.knowsHost({ ...asked, host: 'ops.example:7100' })).toBe(false);
  expect(guard.mayLook(asked)).toBe(false);
  expect(new Guard({ ...OPTIONS, hosts }).allowsActions).toBe(false);
  const [cookie, ...attributes] = guard.cookieFor(asked).split('; ');
  expect(attributes).toContain('Secure');
  expect(guard.cookieFor(NOTHING)).not.toContain('Secure');
  const whole = { ...asked, cookie, origin: 'https://ops.example', csrf: guard.csrf };
  expect(guard.refusalToAct(whole)).toBeUndefined();
  expect(guard.refusalToAct({ ...whole, origin: 'http://ops.example' })).toContain('another page');
});
