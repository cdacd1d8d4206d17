/** ACL: users, their rights, and what was refused. */
import { CATEGORIES, type Selector, isUserName, joinedRules } from '../acl/index.ts';
import { NOT_INTEGER, formatDouble, upToZero } from '../base/index.ts';
import { Request, type ReplyWriter } from '../resp/index.ts';
import { aclCall } from './acl-call.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, unknownUse, wrongArity } from './errors.ts';
import { helpHandler } from './help.ts';
import type { Handler } from './spec.ts';

const BAD_NAME = "ERR Usernames can't contain spaces or null characters";
const BAD_BITS =
  'ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096';
const GENERATED_BITS = 256;
const GENERATED_BITS_MAX = 4096;
const LOG_ENTRIES = 10;

function setUser({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  const name = request.text(2);
  if (!isUserName(name)) return reply.error(BAD_NAME);
  const joined = joinedRules(textsFrom(request, 3));
  if ('unmatched' in joined) {
    return reply.error(
      `ERR Unmatched parenthesis in acl selector starting at '${joined.unmatched}'.`,
    );
  }
  const refused = server.acl.setUser(session, name, joined.rules);
  if (refused === undefined) return reply.ok();
  reply.error(`ERR Error in ACL SETUSER modifier '${upToZero(refused.rule)}': ${refused.reason}`);
}

function deleteUsers({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  const names = textsFrom(request, 2);
  if (names.includes('default')) return reply.error("ERR The 'default' user cannot be removed");
  reply.int(names.filter((name) => server.acl.deleteUser(session, name)).length);
}

function getUser({ server }: Context, request: Request, reply: ReplyWriter): void {
  const user = server.acl.acl.find(request.text(2));
  if (user === undefined) return reply.nullBulk();
  const [root, ...more] = user.selectors;
  reply.map(6);
  reply.bulkText('flags');
  reply.set(user.flags.length);
  for (const flag of user.flags) reply.bulkText(flag);
  reply.bulkText('passwords');
  reply.array(user.passwords.length);
  for (const hash of user.passwords) reply.bulkText(hash);
  writeSelector(reply, root!);
  reply.bulkText('selectors');
  reply.array(more.length);
  for (const selector of more) {
    reply.map(3);
    writeSelector(reply, selector);
  }
}

function writeSelector(reply: ReplyWriter, selector: Selector): void {
  reply.bulkText('commands');
  reply.bulkText(selector.commandsText());
  reply.bulkText('keys');
  reply.bulkText(selector.keysText());
  reply.bulkText('channels');
  reply.bulkText(selector.channelsText());
}

function list({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const users = server.acl.acl.users();
  reply.array(users.length);
  for (const { name, text } of users) reply.bulkText(`user ${name} ${text}`);
}

function users({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const all = server.acl.acl.users();
  reply.array(all.length);
  for (const { name } of all) reply.bulkText(name);
}

function whoAmI({ session }: Context, _request: Request, reply: ReplyWriter): void {
  reply.bulkText(session.user.name);
}

function categories({ server }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 3) return reply.error(unknownUse(request.text(1), 'ACL'));
  if (request.argc === 2) {
    reply.array(CATEGORIES.length);
    for (const name of CATEGORIES) reply.bulkText(name);
    return;
  }
  const { catalog } = server.acl.acl;
  const commands = catalog.category(request.text(2).toLowerCase());
  if (commands === undefined)
    return reply.error(`ERR Unknown category '${upToZero(request.text(2))}'`);
  reply.array(commands.length);
  for (const command of commands) reply.bulkText(catalog.name(command));
}

function generatePassword({ server }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 3) return reply.error(unknownUse(request.text(1), 'ACL'));
  const bits = request.argc === 3 ? request.int(2) : GENERATED_BITS;
  if (bits === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  if (typeof bits === 'bigint' || bits <= 0 || bits > GENERATED_BITS_MAX) {
    return reply.error(BAD_BITS);
  }
  const digits = Math.ceil(bits / 4);
  const password = Array.from({ length: digits }, () => server.rng.below(16).toString(16));
  reply.bulkText(password.join(''));
}

function log({ server }: Context, request: Request, reply: ReplyWriter): void {
  const { refusals } = server.acl;
  if (request.argc > 3) return reply.error(unknownUse(request.text(1), 'ACL'));
  if (request.argc === 3 && request.is(2, 'reset')) {
    refusals.clear();
    return reply.ok();
  }
  const count = request.argc === 3 ? request.int(2) : LOG_ENTRIES;
  if (count === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const entries = refusals.entries.slice(0, Math.max(0, Number(count)));
  reply.array(entries.length);
  for (const entry of entries) {
    reply.map(7);
    reply.bulkText('count');
    reply.int(entry.count);
    reply.bulkText('reason');
    reply.bulkText(entry.reason);
    reply.bulkText('context');
    reply.bulkText(entry.context);
    reply.bulkText('object');
    reply.bulkBytes(entry.object);
    reply.bulkText('username');
    reply.bulkText(entry.userName);
    reply.bulkText('age-seconds');
    reply.double(formatDouble((server.unixNow - entry.at) / 1000));
    reply.bulkText('client-info');
    reply.bulkText(entry.clientInfo);
  }
}

/** Whether a user might run a command, which is not run. */
function dryRun({ server }: Context, outer: Request, reply: ReplyWriter): void {
  const { acl } = server.acl;
  const user = acl.find(outer.text(2));
  if (user === undefined) return reply.error(`ERR User '${upToZero(outer.text(2))}' not found`);
  const request = new Request();
  const args: Buffer[] = [];
  for (let i = 3; i < outer.argc; i++) args.push(outer.copy(i));
  request.load(args);
  const command = server.table.findNamed(request);
  if (command === undefined)
    return reply.error(`ERR Command '${upToZero(outer.text(3))}' not found`);
  if (!command.acceptsCount(request.argc)) return reply.error(wrongArity(command.fullName));
  const call = aclCall(acl, command, request);
  const denial = user.denial(call);
  if (denial === undefined) return reply.ok();
  const cannot = 'This user has no permissions to';
  if (denial.reason === 'command') {
    return reply.bulkText(`${cannot} run the '${command.fullName}' command`);
  }
  const object =
    denial.reason === 'key' ? call.keys[denial.index]!.key : call.channels[denial.index]!.channel;
  reply.bulkText(`${cannot} access the '${object.toString('latin1')}' ${denial.reason}`);
}

function load({ server, session }: Context, _request: Request, reply: ReplyWriter): void {
  const failure = server.acl.load(session);
  if (failure === undefined) reply.ok();
  else reply.error(`ERR ${failure}`);
}

function save({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const failure = server.acl.save();
  if (failure === undefined) reply.ok();
  else reply.error(`ERR ${failure}`);
}

function textsFrom(request: Request, first: number): string[] {
  const texts: string[] = [];
  for (let i = first; i < request.argc; i++) texts.push(request.text(i));
  return texts;
}

/** The functions of ACL's subcommands by full name. */
export const aclHandlers: Readonly<Record<string, Handler>> = {
  'acl|cat': categories,
  'acl|deluser': deleteUsers,
  'acl|dryrun': dryRun,
  'acl|genpass': generatePassword,
  'acl|getuser': getUser,
  'acl|help': helpHandler('acl'),
  'acl|list': list,
  'acl|load': load,
  'acl|log': log,
  'acl|save': save,
  'acl|setuser': setUser,
  'acl|users': users,
  'acl|whoami': whoAmI,
};
