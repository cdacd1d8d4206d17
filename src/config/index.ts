/**
 * Configuration as text and as typed values: the table of directives, redis.conf and command-line grammar, CONFIG
 * GET, SET and REWRITE, and the nodes.conf of a cluster node. Pure: files come in as text and go out as text.
 */
export {
  type Bound,
  type DirectiveSpec,
  type DirectiveValue,
  KEYSPACE_EVENT,
  type MasterAddress,
  type MemoryOrPercent,
  type OutputLimit,
  type OutputLimits,
  type SavePoint,
  type ShutdownFlag,
} from './directive.ts';
export {
  DIRECTIVES,
  DIRECTIVE_NAMES,
  type DirectiveName,
  type FoundDirective,
  type Settings,
  defaultSettings,
  findDirective,
} from './directives.ts';
export { memorySize } from './numbers.ts';
export {
  type ConfigFailure,
  type ConfigReader,
  type ConfigSource,
  type Declaration,
  INCLUDE_DEPTH_MAX,
  type LoadedConfig,
  type SourceLine,
  configFailureText,
  loadConfig,
} from './config-file.ts';
export { type CommandLine, joinConfigText, parseCommandLine } from './command-line.ts';
export {
  type ConfigRefusal,
  type ConfigSetOptions,
  type ConfigSetResult,
  ConfigStore,
} from './config-store.ts';
export { type UserDescription, rewriteConfig } from './rewrite.ts';
export {
  type KnownSentinel,
  type MasterConf,
  type MasterSettings,
  type SentinelConf,
  type SentinelPlace,
  type SentinelSettings,
  defaultMasterSettings,
  defaultSentinelSettings,
} from './sentinel-conf.ts';
export {
  type SentinelFacts,
  type SentinelFlaw,
  isIpText,
  parseSentinelConf,
  readInteger,
} from './sentinel-parse.ts';
export {
  type NodesConf,
  type NodesConfDamage,
  type NodesConfFlag,
  type NodesConfNode,
  type NodesConfReason,
  type ParsedNodesConf,
  formatNodesConf,
  parseNodesConf,
} from './nodes-conf.ts';
