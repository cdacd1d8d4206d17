/** A connection within the process, where nobody is at the other end. */
import type { Wire } from '../node/index.ts';

/** Takes everything and answers nothing. */
export const SILENT_WIRE: Wire = {
  remoteIp: '127.0.0.1',
  remotePort: 0,
  localIp: '127.0.0.1',
  localPort: 0,
  isUnixSocket: false,
  fd: -1,
  pendingBytes: 0,
  write: () => true,
  pause: () => undefined,
  resume: () => undefined,
  end: () => undefined,
  destroy: () => undefined,
};
