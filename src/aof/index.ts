/**
 * Append-only files as 7.0 has them: a base file, incremental files and the manifest that says which belong together.
 * Pure text and names; the node reads and writes the files.
 */
export {
  type AofFile,
  type AofFileKind,
  type AofManifest,
  type ParsedManifest,
  EMPTY_MANIFEST,
  baseName,
  incrementalName,
  manifestText,
  parseManifest,
} from './manifest.ts';
export { isAnnotation, timestampAnnotation, timestampOf } from './annotation.ts';
