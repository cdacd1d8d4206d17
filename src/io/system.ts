/** Facts of the process and the machine. */
import { readFileSync } from 'node:fs';
import { release, totalmem, type } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { SystemFacts } from '../commands/index.ts';
import { VERSION } from './version.ts';

/** How long a measurement of memory is good for. Source: 7.0 server.c, serverCron(). */
const SAMPLE_VALID_MS = 100;

export const machineFacts: SystemFacts = {
  os: `${type()} ${release()} ${process.arch === 'x64' ? 'x86_64' : process.arch}`,
  archBits: 64,
  runtimeVersion: process.versions.node,
  pid: process.pid,
  executable: process.argv[1] ?? process.execPath,
  version: VERSION,
  supervisor: findSupervisor(),
  memory: sampledMemory(),
  totalMemoryBytes: totalmem(),
  openFilesMax: openFilesMax(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return { userSeconds: user / 1e6, systemSeconds: system / 1e6 };
  },
};

/** What the process takes. Asking the system costs more than the rest of an INFO: it is done as often as Redis does, ten times a second. */
function sampledMemory(): SystemFacts['memory'] {
  let sample = { residentBytes: 0, heapBytes: 0 };
  let validUntilMs = -Infinity;
  return () => {
    const nowMs = performance.now();
    if (nowMs < validUntilMs) return sample;
    const { rss, heapUsed } = process.memoryUsage();
    sample = { residentBytes: rss, heapBytes: heapUsed };
    validUntilMs = nowMs + SAMPLE_VALID_MS;
    return sample;
  };
}

/** The runtime has raised the soft limit to the hard one. Source: proc(5), /proc/pid/limits. */
function openFilesMax(): number | undefined {
  let text: string;
  try {
    text = readFileSync('/proc/self/limits', 'latin1');
  } catch {
    // A system without it has other limits, or none.
    return undefined;
  }
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** Source: systemd's sd_notify(3); upstart's documentation. */
function findSupervisor(): SystemFacts['supervisor'] {
  if (process.env['NOTIFY_SOCKET'] !== undefined) return 'systemd';
  return process.env['UPSTART_JOB'] === undefined ? 'no' : 'upstart';
}
