/** Libraries of functions of a server, which commands load and list. */
import { type RespClient, replyItems, replyText } from '../../client/index.ts';
import { libraryMetadata } from '../../commands/index.ts';
import { ReplyError } from '../../resp/index.ts';

/**
 * `loaded`: the server has it now, or had it with the same code; `kept`: it has another one of the name, or with a
 * function of the name, and keeps it; `unknown`: it has no functions, being older than 7.0.
 */
export type LibraryOutcome = 'loaded' | 'kept' | 'unknown';

/** Codes of a server's libraries by name; undefined where it has no functions. Throws ClientError and ReplyError. */
export async function librariesOf(
  client: RespClient,
): Promise<ReadonlyMap<string, Buffer> | undefined> {
  let reply;
  try {
    reply = await client.call('FUNCTION', 'LIST', 'WITHCODE');
  } catch (error) {
    if (isUnknownCommand(error)) return undefined;
    throw error;
  }
  const libraries = new Map<string, Buffer>();
  for (const library of replyItems(reply)) {
    const fields = replyItems(library);
    const field = (name: string): number =>
      fields.findIndex((each) => replyText(each) === name) + 1;
    const code = fields[field('library_code')];
    if (Buffer.isBuffer(code)) libraries.set(replyText(fields[field('library_name')]), code);
  }
  return libraries;
}

/** Loads a library into one server. Throws ClientError and ReplyError. */
export async function putLibrary(
  client: RespClient,
  code: Buffer,
  replaces: boolean,
): Promise<LibraryOutcome> {
  try {
    await client.call('FUNCTION', 'LOAD', ...(replaces ? ['REPLACE'] : []), code);
    return 'loaded';
  } catch (error) {
    if (isUnknownCommand(error)) return 'unknown';
    const isThere = error instanceof ReplyError && error.message.endsWith('already exists');
    if (!isThere) throw error;
  }
  const known = (await librariesOf(client))?.get(libraryName(code));
  return known?.equals(code) === true ? 'loaded' : 'kept';
}

/** What a library is called; the beginning of its code where that does not tell. */
export function libraryName(code: Buffer): string {
  const text = code.toString('latin1');
  const metadata = libraryMetadata(text);
  return 'name' in metadata ? metadata.name : text.slice(0, SHOWN_MAX);
}

const SHOWN_MAX = 40;

function isUnknownCommand(error: unknown): boolean {
  return error instanceof ReplyError && /unknown command/i.test(error.message);
}
