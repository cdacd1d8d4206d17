/** A configuration that asks for protection that is not there yet must not be taken as if it were. */
import { expect, test } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { unsupportedText } from './unsupported.ts';

function textOf(text: string): string | undefined {
  const loaded = loadConfig({
    text,
    reader: { read: () => ({ error: 'no files here' }), expand: () => [] },
    isSentinel: false,
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.failure));
  return unsupportedText(loaded.config);
}

test.each([['loadmodule /lib/m.so\n', 'Modules']])('%j is refused', (text, what) => {
  expect(textOf(text)).toContain(`${what} are not supported yet`);
});

test.each(['', 'aclfile /etc/users.acl\n', 'user alice on nopass ~* +@all\n'])(
  '%j is what this server does',
  (text) => {
    expect(textOf(text)).toBe(undefined);
  },
);
