/** Reading, writing and copying unaligned bytes. */
export { copyBytes, readU32, writeU32 } from '../base/index.ts';
