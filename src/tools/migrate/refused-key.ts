/** A key that the target cannot have as it is: the copy ends before anything of it is lost. */
import { ToolError } from '../errors.ts';

/** `reason` begins with the name of the key. */
export function refusedKey(reason: string): ToolError {
  const advice = '--drop-field-expiry copies such fields to stay for good';
  return new ToolError('NODES_REFUSED', `Cannot copy key ${reason}; ${advice}`);
}
