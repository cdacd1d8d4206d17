/** Facts of the process and the machine. */
import { release, totalmem, type } from 'node:os';
import type { SystemFacts } from '../commands/index.ts';
import { VERSION } from './version.ts';

export const machineFacts: SystemFacts = {
  os: `${type()} ${release()} ${process.arch === 'x64' ? 'x86_64' : process.arch}`,
  archBits: 64,
  runtimeVersion: process.versions.node,
  pid: process.pid,
  executable: process.argv[1] ?? process.execPath,
  version: VERSION,
  supervisor: findSupervisor(),
  memory: () => ({
    residentBytes: process.memoryUsage.rss(),
    heapBytes: process.memoryUsage().heapUsed,
  }),
  totalMemoryBytes: () => totalmem(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return { userSeconds: user / 1e6, systemSeconds: system / 1e6 };
  },
};

/** Source: systemd's sd_notify(3); upstart's documentation. */
function findSupervisor(): SystemFacts['supervisor'] {
  if (process.env['NOTIFY_SOCKET'] !== undefined) return 'systemd';
  return process.env['UPSTART_JOB'] === undefined ? 'no' : 'upstart';
}
