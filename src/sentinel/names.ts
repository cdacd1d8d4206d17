/** How Redis names instances in events and replies; its words for roles are on the wire. */
import type { Address, Instance } from './types.ts';

const ROLE_WORDS = { master: 'master', replica: 'slave', sentinel: 'sentinel' } as const;

export function roleWord(role: Instance['role']): string {
  return ROLE_WORDS[role];
}

/** `slave 127.0.0.1:7001 127.0.0.1 7001 @ name 127.0.0.1 7000` */
export function describe(instance: Instance, hostOf: (address: Address) => string): string {
  const { name, address, role } = instance;
  const own = `${roleWord(role)} ${name} ${hostOf(address)} ${address.port}`;
  if (role === 'master') return own;
  const { master } = instance;
  return `${own} @ ${master.name} ${hostOf(master.address)} ${master.address.port}`;
}

/** `ip:port`, with brackets around an IPv6 address. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
