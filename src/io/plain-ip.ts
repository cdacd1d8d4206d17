/** Addresses as the runtime names them, in the form that clients expect. */

/** An IPv4 address that came through an IPv6 socket, without its prefix. */
export function plainIp(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
