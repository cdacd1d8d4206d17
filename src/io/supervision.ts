/** Tells systemd that the server is ready, where a unit of `Type=notify` waits for that. */
import { spawn } from 'node:child_process';
import { supervisorOf } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { LogWriter } from './log-file.ts';
import { machineFacts } from './system.ts';

/**
 * The runtime has no datagrams to local sockets, so systemd's own program sends the word. It is another process than the
 * unit's main one, so the unit needs `NotifyAccess=all`.
 */
const PROGRAM = 'systemd-notify';

export function tellReady(settings: Settings, log: LogWriter): void {
  if (supervisorOf(settings, machineFacts) !== 'systemd') return;
  const child = spawn(PROGRAM, ['--ready', '--status=Ready to accept connections'], {
    stdio: 'ignore',
  });
  child.on('error', (error) =>
    log('warning', `Cannot tell systemd that the server is ready: ${error.message}`),
  );
  child.on('exit', (code) => {
    if (code !== 0)
      log('warning', `Cannot tell systemd that the server is ready: ${PROGRAM} ${code}`);
  });
}
