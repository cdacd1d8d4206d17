/** What a configuration may ask for that this server would have to ignore: it does not start then, for safety's sake. */
import type { LoadedConfig } from '../config/index.ts';

/** Rules that leave the default user with all rights. */
const HARMLESS_RULES: ReadonlySet<string> = new Set([
  ...['on', 'nopass', '~*', 'allkeys', '&*', 'allchannels', '+@all', 'allcommands'],
  ...['sanitize-payload', 'skip-sanitize-payload'],
]);

/** Why the server must not start with this configuration, in one line; undefined when it may. */
export function unsupportedText({ settings, users, modules }: LoadedConfig): string | undefined {
  if (settings['tls-port'] !== 0) return refusal('tls-port', 'TLS ports', 'set it to 0');
  if (settings.aclfile !== '') return refusal('aclfile', 'ACL files', 'use requirepass');
  if (modules.length > 0) return refusal('loadmodule', 'Modules', 'remove the line');
  const hasPassword = settings.requirepass !== '';
  const restricted = users.find(({ args }) => !isHarmless(args, hasPassword));
  return restricted && refusal('user', 'ACL users', 'use requirepass');
}

/** Whether what the line says is what this server does anyway. */
function isHarmless([name, ...rules]: readonly string[], hasPassword: boolean): boolean {
  if (name !== 'default') return false;
  // CONFIG REWRITE of redis-server writes the password of requirepass here once more, as a digest.
  return rules.every(
    (rule) => HARMLESS_RULES.has(rule.toLowerCase()) || (hasPassword && rule.startsWith('#')),
  );
}

function refusal(directive: string, what: string, advice: string): string {
  return `Fatal error, "${directive}" cannot be obeyed: ${what} are not supported yet, ${advice}`;
}
