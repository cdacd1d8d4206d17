/**
 * Backups of clusters: the RDB of every master in a folder, and back into a cluster of any size.
 */
export { type BackupFile, type BackupOptions, backup } from './backup.ts';
export { type RestoreOptions, restore } from './restore.ts';
