/** Reading, writing and copying unaligned bytes. */
export { clearBytes, copyBytes, copyIn, readU32, writeU32 } from '../base/index.ts';
