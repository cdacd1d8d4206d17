/** A connection to a node that MIGRATE sends keys to. */
import type { MonoMs } from '../base/index.ts';
import type { Network } from './ports.ts';
import { ReplyConnection } from './reply-connection.ts';

export class MigrateTarget extends ReplyConnection {
  /** Database that it selected; undefined when not known. */
  selectedDb: number | undefined;
  lastUsedAt: MonoMs;

  constructor(
    network: Network,
    address: { readonly host: string; readonly port: number },
    now: MonoMs,
  ) {
    super(network, { ...address, purpose: 'cluster' });
    this.lastUsedAt = now;
  }
}
