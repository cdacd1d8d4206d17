/** `slotline-sentinel`: takes redis-sentinel's own arguments and configuration. */
import { runServer } from '../io/index.ts';

await runServer(process.argv.slice(2), true);
