/**
 * Who may do what: users, their passwords, and their rights to commands, keys and channels, as Redis 7.0 has them. Knows
 * commands by name, category and number only.
 */
export { Acl, DEFAULT_USER, type RefusedRule, isUserName, joinedRules } from './acl.ts';
export { aclFileText, readAclFile } from './acl-file.ts';
export { AclCatalog, type AclCommand, CATEGORIES } from './catalog.ts';
export { AclLog, type AclLogContext, type AclLogEntry, type AclRefusal } from './log.ts';
export type { AclCall, ChannelUse, Denial, KeyUse, Selector } from './selector.ts';
export { User } from './user.ts';
