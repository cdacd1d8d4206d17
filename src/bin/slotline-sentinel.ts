/** `slotline-sentinel`: takes redis-sentinel's own arguments and configuration. */
import { runServer } from '../io/index.ts';
import { serveNodeAdmin } from './node-admin.ts';

await runServer(process.argv.slice(2), { isSentinelProgram: true, serveAdmin: serveNodeAdmin });
