/** Which version this is, and of what. */

/** Version of this package; a tidy test compares it with package.json. */
export const VERSION = '0.1.0';

/** Version of Redis whose behaviour and texts this server has. */
export const REDIS_VERSION = '7.0.15';

/** What `--version` tells. Scripts take the `v=` of redis-server for what the server can do, so it is Redis's here too. */
export function versionLine(): string {
  return `Slotline server v=${REDIS_VERSION} sha=00000000:0 malloc=slotline bits=64 build=0 slotline=${VERSION}`;
}
