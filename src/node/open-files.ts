/** Keeps `maxclients` within the files that the system lets the process have: what is not a client needs some too. */
import type { LogLevel } from '../commands/index.ts';
import type { ConfigRefusal, ConfigStore, DirectiveName, Settings } from '../config/index.ts';

/**
 * Files for all that is no client: the runtime's own (some 20), logs and snapshots, replication, and the links of a
 * cluster, two for each other node. Redis keeps 32.
 */
const RESERVED = 64;

interface OpenFilesHost {
  readonly settings: Settings;
  readonly config: ConfigStore;
  readonly ports: { readonly system: { readonly openFilesMax?: number | undefined } };
  log(level: LogLevel, text: string): void;
}

/** At the start: takes as many clients as the system allows. Says why the server cannot start, if it allows too few. */
export function fitMaxclients(host: OpenFilesHost): string | undefined {
  const { openFilesMax = Infinity } = host.ports.system;
  const { maxclients } = host.settings;
  if (maxclients + RESERVED <= openFilesMax) return undefined;
  if (openFilesMax <= RESERVED) {
    return (
      `Your current 'ulimit -n' of ${openFilesMax} is not enough for the server to start. ` +
      `Please increase your open file limit to at least ${maxclients + RESERVED}. Exiting.`
    );
  }
  tell(host, maxclients, openFilesMax);
  host.config.assign('maxclients', openFilesMax - RESERVED);
  return undefined;
}

/** CONFIG SET: why so many clients cannot be. */
export function maxclientsRefusal(
  host: OpenFilesHost,
  changed: readonly DirectiveName[],
): ConfigRefusal | undefined {
  const { openFilesMax = Infinity } = host.ports.system;
  const { maxclients } = host.settings;
  if (!changed.includes('maxclients') || maxclients + RESERVED <= openFilesMax) return undefined;
  tell(host, maxclients, openFilesMax);
  const possible = openFilesMax - RESERVED;
  const reason = `The operating system is not able to handle the specified number of clients, try with ${possible}`;
  return { name: 'maxclients', reason };
}

function tell(host: OpenFilesHost, maxclients: number, openFilesMax: number): void {
  const required = maxclients + RESERVED;
  host.log(
    'warning',
    `You requested maxclients of ${maxclients} requiring at least ${required} max file descriptors.`,
  );
  host.log(
    'warning',
    `Current maximum open files is ${openFilesMax}. maxclients has been reduced to ${openFilesMax - RESERVED} to ` +
      "compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.",
  );
}
