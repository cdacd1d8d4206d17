/** COMMAND DOCS, out of the generated documents, which are parsed when somebody first asks. */
import type { ReplyWriter, Request } from '../resp/index.ts';
import { writeWords } from './command-facts-reply.ts';
import type { Context } from './context.ts';
import { BITMAP_DOCS } from './docs/bitmap.ts';
import { CLUSTER_DOCS } from './docs/cluster.ts';
import { CLUSTER_TRANSFER_DOCS } from './docs/cluster-transfers.ts';
import { CONNECTION_DOCS } from './docs/connection.ts';
import { GENERIC_DOCS } from './docs/generic.ts';
import { GEO_DOCS } from './docs/geo.ts';
import { HASH_DOCS } from './docs/hash.ts';
import { HYPERLOGLOG_DOCS } from './docs/hyperloglog.ts';
import { LIST_DOCS } from './docs/list.ts';
import { PUBSUB_DOCS } from './docs/pubsub.ts';
import { SCRIPTING_DOCS } from './docs/scripting.ts';
import { SENTINEL_DOCS } from './docs/sentinel.ts';
import { SERVER_DOCS } from './docs/server.ts';
import { SET_DOCS } from './docs/set.ts';
import { SORTED_SET_DOCS } from './docs/sorted-set.ts';
import { STREAM_DOCS } from './docs/stream.ts';
import { STRING_DOCS } from './docs/string.ts';
import { TRANSACTIONS_DOCS } from './docs/transactions.ts';
import type { Command } from './table.ts';

const SOURCES: Readonly<Record<string, string>> = {
  bitmap: BITMAP_DOCS,
  cluster: CLUSTER_DOCS,
  connection: CONNECTION_DOCS,
  generic: GENERIC_DOCS,
  geo: GEO_DOCS,
  hash: HASH_DOCS,
  hyperloglog: HYPERLOGLOG_DOCS,
  list: LIST_DOCS,
  pubsub: PUBSUB_DOCS,
  scripting: SCRIPTING_DOCS,
  sentinel: SENTINEL_DOCS,
  server: SERVER_DOCS,
  set: SET_DOCS,
  'sorted-set': SORTED_SET_DOCS,
  stream: STREAM_DOCS,
  string: STRING_DOCS,
  transactions: TRANSACTIONS_DOCS,
};

/** Fields that hold a set of words. */
const WORD_FIELDS: ReadonlySet<string> = new Set(['flags', 'doc_flags']);

type Document = { readonly [field: string]: DocumentValue };
type DocumentValue = string | number | readonly DocumentValue[] | Document;

/** COMMAND DOCS [name ...]: unknown names are left out. */
export function commandDocs({ server }: Context, request: Request, reply: ReplyWriter): void {
  const commands: Command[] = [];
  if (request.argc === 2) commands.push(...server.table.all());
  for (let i = 2; i < request.argc; i++) {
    const command = server.table.byName(request.text(i));
    if (command !== undefined) commands.push(command);
  }
  // Parsed anew for every call: it is seldom asked for, and the documents are large.
  const groups = new Map<string, Document>();
  reply.map(commands.length);
  for (const command of commands) {
    reply.bulkText(command.fullName);
    writeDocument(reply, builtPart(command, documentOf(command, groups)));
  }
}

/** A container's document names the subcommands that are built. */
function builtPart(command: Command, document: Document): Document {
  const generated = document['subcommands'];
  if (generated === undefined || !isDocument(generated)) return document;
  const subs = command.spec.name === 'cluster' ? withOurs(generated) : generated;
  const built = Object.entries(subs).filter(([fullName]) =>
    command.subcommands.has(fullName.slice(fullName.indexOf('|') + 1)),
  );
  return { ...document, subcommands: Object.fromEntries(built) };
}

function withOurs(subs: Document): Document {
  return { ...subs, ...CLUSTER_TRANSFER_DOCS };
}

function documentOf(command: Command, groups: Map<string, Document>): Document {
  const { group, since } = command.spec;
  let documents = groups.get(group);
  if (documents === undefined) {
    // The generated text is JSON of this form.
    documents = JSON.parse(SOURCES[group] ?? '{}') as Document;
    groups.set(group, documents);
  }
  const [main = '', sub] = command.fullName.split('|');
  let found = documents[main];
  if (sub !== undefined && isDocument(found)) {
    const subs = found['subcommands'];
    found = subs !== undefined && isDocument(subs) ? withOurs(subs)[command.fullName] : undefined;
  }
  return isDocument(found) ? found : { since, group };
}

function isDocument(value: DocumentValue | undefined): value is Document {
  return typeof value === 'object' && !Array.isArray(value);
}

function writeDocument(reply: ReplyWriter, document: Document): void {
  const fields = Object.entries(document);
  reply.map(fields.length);
  for (const [field, value] of fields) {
    reply.bulkText(field);
    if (WORD_FIELDS.has(field) && Array.isArray(value)) writeWords(reply, value.map(String));
    else writeValue(reply, value, field === 'history');
  }
}

function writeValue(reply: ReplyWriter, value: DocumentValue, isSet: boolean = false): void {
  if (typeof value === 'string') reply.bulkText(value);
  else if (typeof value === 'number') reply.int(value);
  else if (isDocument(value)) writeDocument(reply, value);
  else {
    if (isSet) reply.set(value.length);
    else reply.array(value.length);
    for (const item of value) writeValue(reply, item);
  }
}
