/**
 * Configuration files of RedisShake, read as wishes of ours: `shake.toml` of version 4 and `redis-shake.conf` of version
 * 2. Names and meanings of their options are those tools'; what has no meaning here is named, and what cannot be done
 * as asked is refused.
 */
import { readFileSync } from 'node:fs';
import { ToolError } from '../errors.ts';
import { readShakeConf } from './shake-conf.ts';
import { readShakeToml } from './shake-toml.ts';
import type { ShakeWishes } from './shake-wishes.ts';

export interface ShakeFileOptions {
  /** `-type` of version 2. */
  readonly type: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Reads either kind: the older has no sections. Throws ToolError and ClientError. */
export function readShakeConfig(path: string, options: ShakeFileOptions): ShakeWishes {
  const text = textOf(path);
  const isToml = /^\s*\[\w+(\.\w+)*\]/m.test(text);
  return isToml ? readShakeToml(text, path, options.env) : readShakeConf(text, path, options.type);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolError('USAGE', `Cannot read the configuration "${path}": ${reason}`, error);
  }
}
