/** `slotline-server`: takes redis-server's own arguments and configuration. */
import { runServer } from '../io/index.ts';
import { serveNodeAdmin } from './node-admin.ts';

await runServer(process.argv.slice(2), { serveAdmin: serveNodeAdmin });
