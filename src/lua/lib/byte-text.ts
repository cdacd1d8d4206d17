/** Numbers of C in texts of bytes: integers of any size up to 64 bits and floating point. */

const view = new DataView(new ArrayBuffer(8));

/** First byte of the NaN that arithmetic makes on x86, as a NaN here has no sign to be seen. */
export const NEGATIVE_NAN_BYTE = 0xff;

export function readDouble(text: string, at: number): number {
  for (let i = 0; i < 8; i++) view.setUint8(i, text.charCodeAt(at + i));
  return view.getFloat64(0);
}

export function readFloat(text: string, at: number): number {
  for (let i = 0; i < 4; i++) view.setUint8(i, text.charCodeAt(at + i));
  return view.getFloat32(0);
}

/** An unsigned integer of up to 6 bytes, the highest first. */
export function readUnsigned(text: string, at: number, size: number): number {
  let value = 0;
  for (let i = at; i < at + size; i++) value = value * 256 + text.charCodeAt(i);
  return value;
}

/** The low 64 bits of an integer of any size, the highest byte first. */
export function readUnsigned64(text: string, at: number, size: number): bigint {
  const start = Math.max(at, at + size - 8);
  view.setBigUint64(0, 0n);
  for (let i = start; i < at + size; i++) view.setUint8(8 - (at + size - i), text.charCodeAt(i));
  return view.getBigUint64(0);
}

export function reversed(text: string): string {
  let result = '';
  for (let at = text.length - 1; at >= 0; at--) result += text[at]!;
  return result;
}
