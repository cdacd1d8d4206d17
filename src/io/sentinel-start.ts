/** How a Sentinel starts: what its configuration must be, and what it means. */
import { accessSync, constants } from 'node:fs';
import {
  type ConfigFailure,
  type LoadedConfig,
  type Settings,
  parseSentinelConf,
} from '../config/index.ts';
import type { SentinelInit } from '../node/index.ts';
import { resolveHosts, sentinelWorld } from './sentinel-world.ts';
import { StartError } from './server-process.ts';
import { attempt } from './system-words.ts';

/** Where Sentinels listen. Source: Redis Sentinel documentation. */
const SENTINEL_PORT = 26_379;

const CALM_HZ = 2;

/** What a Sentinel's settings are where its file says nothing, in place of a node's. */
export function asSentinel(config: LoadedConfig): LoadedConfig {
  const { lines } = config;
  const settings: Settings = {
    ...config.settings,
    ...(lines.has('port') ? {} : { port: SENTINEL_PORT }),
    // Nothing expires; the rest of that work is seldom due, and every waking has its price.
    ...(lines.has('hz') ? {} : { hz: CALM_HZ }),
    ...(lines.has('protected-mode') ? {} : { 'protected-mode': false }),
    // It has no data.
    ...{ save: [], appendonly: false, 'cluster-enabled': false, replicaof: undefined },
  };
  return { ...config, settings };
}

/** @throws StartError when the file cannot hold a Sentinel's state */
export function requireStateFile(configFile: string): void {
  if (configFile === '') {
    throw new StartError('Sentinel needs config file on disk to save state. Exiting...');
  }
  const flaw = attempt(() => accessSync(configFile, constants.W_OK));
  if (flaw === undefined) return;
  throw new StartError(`Sentinel config file ${configFile} is not writable: ${flaw}. Exiting...`);
}

/** Reads the `sentinel` lines. */
export async function readSentinel(
  config: LoadedConfig,
): Promise<SentinelInit | { readonly failure: ConfigFailure }> {
  const resolved = await resolveHosts(config.sentinels);
  const parsed = parseSentinelConf(config.sentinels, {
    isExecutable: (path) => sentinelWorld.isExecutable(path),
    canResolve: (host) => resolved.has(host),
  });
  if (!parsed.ok) return { failure: { kind: 'badLine', ...parsed.flaw } };
  return { conf: parsed.conf, resolved, world: sentinelWorld };
}
