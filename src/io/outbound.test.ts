/** Goal: a connection that cannot even be begun fails as others do. Method: real sockets, to where nobody listens. */
import { expect, test } from 'vitest';
import { WireBuffers } from './handle-wire.ts';
import { outboundNetwork } from './outbound.ts';

function connect(sourceIp: string | undefined): Promise<string | undefined> {
  const network = outboundNetwork({
    buffers: new WireBuffers(),
    sourceIp: () => sourceIp,
    tls: () => undefined,
  });
  return new Promise((closed) => {
    const target = { host: '127.0.0.1', port: 1, purpose: 'data' } as const;
    network.connect(target, { data: () => undefined, closed });
  });
}

test('a port where nobody listens refuses', async () => {
  expect(await connect(undefined)).toBe('ECONNREFUSED');
});

test('a source address that is none closes the connection with a reason', async () => {
  expect(await connect('999.1.1.1')).toBe('ERR_INVALID_IP_ADDRESS');
});
