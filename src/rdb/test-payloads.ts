/** For tests: values as real servers wrote them, and the old formats built by hand. */

/** DUMP payloads of redis-server 7.0.15, hexadecimal. */
export const REAL_PAYLOADS: Readonly<Record<string, string>> = {
  list: '1201021c1c0000000500816102dfff02c12c02f2701101048568656c6c6f06ff0a00a6539fd8ffa8acdf',
  plainNodes: `1203020a0a0000000100816102ff014065${'78'.repeat(101)}020a0a0000000100816202ff0a00`,
  intset:
    '0b20080000000300000090eefeffffffffff0100000000000000005ed0b2000000000a006d1112aaa56de8c5',
  set: '0203c011016201610a001ef3af2567da6d8a',
  hash: '101414000000040081660201018167028374776f04ff0a00e318742b61db6fdf',
  hashtable: '040201670374776f0166c0010a0095d21544c6b41c61',
  zset:
    '1127270000000600836c6f7704842d696e6605836d69640483312e35048468696768058369' +
    '6e6604ff0a00238868ecd2c3adfa',
  skiplist:
    '05030468696768000000000000f07f036d6964000000000000f83f036c6f77000000000000' +
    'f0ff0a00c7bf2eeab1206fc9',
  stream:
    '13011000000000000000050000000000000001404242000000190002010101020181660281' +
    '6702000103010001000101010201050102010001010103010401050100010201dfff020101' +
    '856f74686572068178020601ff020700050205010302036772700502020100000000000000' +
    '0500000000000000020068e5cf8b010000030105616c696365784ed514a201000001000000' +
    '00000000050000000000000002056f74686572070081ffffffffffffffff00000a00ca43a9f0fe097cd1',
};

/** A ziplist of strings, those of digits as integers. */
export function ziplist(elements: readonly string[]): Buffer {
  const entries: Buffer[] = [];
  for (const element of elements) {
    const before = entries.at(-1)?.length ?? 0;
    const previous = before < 254 ? Buffer.from([before]) : Buffer.from([254, 0, 0, 0, 0]);
    if (before >= 254) previous.writeUInt32LE(before, 1);
    entries.push(Buffer.concat([previous, ziplistData(element)]));
  }
  const body = Buffer.concat(entries);
  const header = Buffer.alloc(10);
  header.writeUInt32LE(10 + body.length + 1, 0);
  header.writeUInt32LE(10 + body.length - (entries.at(-1)?.length ?? 0), 4);
  header.writeUInt16LE(elements.length, 8);
  return Buffer.concat([header, body, Buffer.from([255])]);
}

function ziplistData(element: string): Buffer {
  if (/^-?\d{1,18}$/.test(element)) return ziplistInt(Number(element));
  const bytes = Buffer.from(element, 'latin1');
  if (bytes.length < 64) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  if (bytes.length < 16_384) {
    return Buffer.concat([Buffer.from([0x40 | (bytes.length >> 8), bytes.length & 255]), bytes]);
  }
  const head = Buffer.from([0x80, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function ziplistInt(value: number): Buffer {
  if (value >= 0 && value <= 12) return Buffer.from([0xf1 + value]);
  const sizes: readonly (readonly [number, number])[] = [[1, 0xfe], [2, 0xc0], [3, 0xf0], [4, 0xd0]]; // prettier-ignore
  for (const [size, encoding] of sizes) {
    const limit = 2 ** (8 * size - 1);
    if (value < -limit || value >= limit) continue;
    const bytes = Buffer.alloc(1 + size, encoding);
    bytes.writeIntLE(value, 1, size);
    return bytes;
  }
  const bytes = Buffer.alloc(9, 0xe0);
  bytes.writeBigInt64LE(BigInt(value), 1);
  return bytes;
}

/** A zipmap of fields and values in turn, each value followed by an unused byte. */
export function zipmap(elements: readonly string[]): Buffer {
  const parts: Buffer[] = [Buffer.from([elements.length / 2])];
  for (const [i, element] of elements.entries()) {
    const bytes = Buffer.from(element, 'latin1');
    const isWide = bytes.length >= 254;
    const head = Buffer.alloc(isWide ? 5 : 1, isWide ? 254 : bytes.length);
    if (isWide) head.writeUInt32LE(bytes.length, 1);
    parts.push(head, i % 2 === 0 ? bytes : Buffer.concat([Buffer.from([1]), bytes, Buffer.of(0)]));
  }
  return Buffer.concat([...parts, Buffer.from([255])]);
}
