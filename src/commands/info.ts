/** INFO: which sections are asked for, and how their lines go out. The fields are in `info-*.ts`. */
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { commandStats, errorStats, latencyStats } from './info-commands.ts';
import type { InfoFields } from './info-fields.ts';
import { memoryFields } from './info-memory.ts';
import {
  clientFields,
  clusterFields,
  cpuFields,
  keyspaceFields,
  persistenceFields,
  serverFields,
} from './info-server.ts';
import { sentinelFields } from './info-sentinel.ts';
import { replicationFields, statsFields } from './info-stats.ts';
import type { Server } from './server.ts';

interface Section {
  readonly title: string;
  readonly fields: (server: Server) => InfoFields;
  /** Whether it is shown without being asked for. */
  readonly isDefault: boolean;
}

/** In the order in which they are shown. */
const SECTIONS: Readonly<Record<string, Section>> = {
  server: { title: 'Server', fields: serverFields, isDefault: true },
  clients: { title: 'Clients', fields: clientFields, isDefault: true },
  memory: { title: 'Memory', fields: memoryFields, isDefault: true },
  persistence: { title: 'Persistence', fields: persistenceFields, isDefault: true },
  stats: { title: 'Stats', fields: statsFields, isDefault: true },
  replication: { title: 'Replication', fields: replicationFields, isDefault: true },
  cpu: { title: 'CPU', fields: cpuFields, isDefault: true },
  modules: { title: 'Modules', fields: () => [], isDefault: true },
  commandstats: { title: 'Commandstats', fields: commandStats, isDefault: false },
  errorstats: { title: 'Errorstats', fields: errorStats, isDefault: true },
  latencystats: { title: 'Latencystats', fields: latencyStats, isDefault: false },
  cluster: { title: 'Cluster', fields: clusterFields, isDefault: true },
  keyspace: { title: 'Keyspace', fields: keyspaceFields, isDefault: true },
};

/** What Sentinels show; they have no data. */
const SENTINEL_SECTIONS: Readonly<Record<string, Section>> = {
  ...pick('server', 'clients', 'stats', 'cpu'),
  sentinel: { title: 'Sentinel', fields: sentinelFields, isDefault: true },
};

function pick(...names: readonly string[]): Record<string, Section> {
  return Object.fromEntries(Object.entries(SECTIONS).filter(([name]) => names.includes(name)));
}

/** INFO [section ...]; unknown sections are left out. */
export function info({ server }: Context, request: Request, reply: ReplyWriter): void {
  const wanted = new Set<string>();
  for (let i = 1; i < request.argc; i++) wanted.add(request.text(i).toLowerCase());
  const text = infoText(server, wanted);
  if (server.sentinel === undefined) reply.verbatim('txt', text);
  else reply.bulkText(text);
}

/** The text of INFO for sections named in lower case; the usual ones when none is. */
export function infoText(server: Server, wanted: ReadonlySet<string>): string {
  const takesAll = wanted.has('all') || wanted.has('everything');
  const takesDefault = wanted.size === 0 || wanted.has('default');
  const sections = server.sentinel === undefined ? SECTIONS : SENTINEL_SECTIONS;
  const parts: string[] = [];
  for (const [name, { title, fields, isDefault }] of Object.entries(sections)) {
    const isTaken =
      wanted.has(name) ||
      (takesDefault && isDefault) ||
      (takesAll && (name !== 'modules' || wanted.has('everything')));
    if (!isTaken) continue;
    const lines = fields(server).map(([field, value]) => `${field}:${value}\r\n`);
    parts.push(`# ${title}\r\n${lines.join('')}`);
  }
  return parts.join('\r\n');
}
