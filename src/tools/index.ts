/**
 * The operator tools behind `slotline`: each answers an exit status and writes to a `Screen`.
 */
export { endSignals } from './end-signals.ts';
export { type ExitStatus, ToolError, type ToolErrorCode, asToolError } from './errors.ts';
export {
  type Colour,
  type Screen,
  type ScreenOptions,
  collectingScreen,
  loggingScreen,
  tableLines,
  terminalScreen,
} from './screen.ts';
