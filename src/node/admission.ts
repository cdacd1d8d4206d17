/** Who may connect at all, and who may run what is for operators only. */
import type { Command } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { Wire } from './ports.ts';

/** Error text for a new connection that must not stay, undefined to let it in. */
export function admissionRefusal(
  wire: Wire,
  settings: Settings,
  state: {
    readonly isFull: boolean;
    /** Whether no password is needed. */
    readonly isOpen: boolean;
  },
): string | undefined {
  if (state.isFull) return 'ERR max number of clients reached';
  const isProtected = settings['protected-mode'] && state.isOpen;
  if (!isProtected || wire.isUnixSocket || isLoopback(wire.remoteIp)) return undefined;
  return (
    'DENIED Redis is running in protected mode because protected mode is enabled and no password ' +
    'is set for the default user. In this mode connections are only accepted from the loopback ' +
    'interface. If you want to connect from external computers to Redis you may adopt one of the ' +
    'following solutions: 1) Just disable protected mode sending the command ' +
    "'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same " +
    'host the server is running, however MAKE SURE Redis is not publicly accessible from internet if ' +
    'you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just ' +
    'disable the protected mode by editing the Redis configuration file, and setting the protected ' +
    "mode option to 'no', and then restarting the server. 3) If you started the server manually just " +
    "for testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication " +
    'password for the default user. NOTE: You only need to do one of the above things in order for ' +
    'the server to start accepting connections from the outside.'
  );
}

/** Whether a connection (undefined: none, inside) may run a command that the settings protect. */
export function mayRun(wire: Wire | undefined, settings: Settings, command: Command): boolean {
  const isDebug = command.spec.name === 'debug' || command.fullName.startsWith('debug|');
  const who = settings[isDebug ? 'enable-debug-command' : 'enable-module-command'];
  if (who !== 'local') return who === 'yes';
  return wire === undefined || wire.isUnixSocket || isLoopback(wire.remoteIp);
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1' || ip.startsWith('::ffff:127.');
}
