/** Bytes against captures from redis-server 7.0.15, and properties: round trip, any split, arbitrary bytes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  HEADER_SIZE,
  NO_EXTENSIONS,
  type Packet,
  PacketReader,
  decodePacket,
  encodeLight,
  encodePacket,
} from './index.ts';

const SEED = 20240607;
const ID = '91c71367a948be4f39878615deaaaf0f6e959b02';

function slotsWith(...set: number[]): Uint8Array {
  const slots = new Uint8Array(2048);
  for (const slot of set) slots[slot >> 3]! |= 1 << (slot & 7);
  return slots;
}

/** A captured header is zero but for the runs named here, at their offsets. */
function captured(size: number, runs: Record<number, string>): Buffer {
  const out = Buffer.alloc(size);
  for (const [at, hex] of Object.entries(runs)) out.set(Buffer.from(hex, 'hex'), Number(at));
  return out;
}

const MEET: Packet = {
  header: {
    port: 21100,
    plaintextPort: 0,
    busPort: 21101,
    currentEpoch: 0,
    configEpoch: 0,
    offset: 0,
    sender: ID,
    slots: slotsWith(0, 1, 5, 100),
    masterId: undefined,
    ip: '',
    flags: 0x11,
    state: 'fail',
    messageFlags: 0,
  },
  body: { type: 'meet', gossip: [], extensions: NO_EXTENSIONS },
};

const SENDER_HEX = Buffer.from(ID, 'latin1').toString('hex');

test('a MEET has the bytes that redis-server 7.0.15 sends', () => {
  const bytes = captured(2256, {
    0: '52436d62000008d00001526c0002',
    40: SENDER_HEX,
    80: '23',
    92: '10',
    2248: '526d001101',
  });
  expect(encodePacket(MEET).equals(bytes)).toBe(true);
  expect(decodePacket(bytes)).toEqual({ kind: 'packet', packet: MEET });
});

test('a MEET with a hostname has the bytes that redis-server 7.0.15 sends', () => {
  const bytes = captured(2288, {
    0: '52436d62000008f00001526c0002',
    40: SENDER_HEX,
    80: '23',
    92: '10',
    2214: '0001',
    2248: '526d00110104',
    2256: '0000002000000000686f73742e6578616d706c652e636f6d',
  });
  const packet: Packet = {
    header: MEET.header,
    body: {
      type: 'meet',
      gossip: [],
      extensions: { ...NO_EXTENSIONS, hostname: 'host.example.com' },
    },
  };
  expect(encodePacket(packet).equals(bytes)).toBe(true);
  const decoded = decodePacket(bytes);
  expect(decoded.kind === 'packet' && decoded.packet.body).toEqual(packet.body);
});

/** A pong of Valkey 9.1.2 that has forgotten a node, with everything it can announce. */
const VALKEY_PONG = captured(2472, {
  0: '52436d62000009a80001479a0001',
  23: '02',
  40: '65633238306438643832633038323833376638643036626637643130636162633238343162303238',
  80: 'ffffffffffffffffffffffff1f',
  2215: '08',
  2248: '6efa1c110104',
  2259: '1800000000686f7374302e6578',
  2283: '100001000068756d30',
  2299: '180004000031302e302e302e31',
  2323: '1000050000666538303a3a31',
  2339: '10000600002328',
  2355: '10000800007a6f6e6530',
  2371: '380002000065616439316661366634393138643436636162303933313162376132613637386231303534366432',
  2423: '3c',
  2427: '300003000030363937346665626638356564316462356532626465633864356462346532393061336163346231',
});

test('hostname, shard id and forgotten nodes are read from a pong of Valkey 9.1.2, the rest is passed over', () => {
  const decoded = decodePacket(VALKEY_PONG);
  expect(decoded.kind === 'packet' && decoded.packet.body).toEqual({
    type: 'pong',
    gossip: [],
    extensions: {
      hostname: 'host0.ex',
      shardId: '06974febf85ed1db5e2bdec8d5db4e290a3ac4b1',
      forgotten: [{ nodeId: 'ead91fa6f4918d46cab09311b7a2a678b10546d2', ttlSeconds: 60 }],
    },
  });
  expect(decoded.kind === 'packet' && decoded.packet.header.flags).toBe(0x1c11);
});

test('extensions have the bytes of a ping of Redis 8.0.2, its name for humans and its secret left out', () => {
  const bytes = captured(2384, {
    0: '52436d62000009500001479b',
    23: '02',
    40: Buffer.from('f2eb19c5b405b1a26370f1b3a7e4fb387cd68e3c', 'latin1').toString('hex'),
    2215: '03',
    2248: '6efb00110104',
    2259: '18',
    2264: '686f7374312e6578',
    2283: '3800020000',
    2288: '36366339363337356462646232363837393263343737316639333738343965643964366564656465',
    2335: '3b',
    2339: '300003',
    2344: '35646437313439633131393433376339306262636232323532333335383334616566366463363936',
  });
  const packet: Packet = {
    header: {
      ...MEET.header,
      port: 18331,
      busPort: 28411,
      currentEpoch: 2,
      sender: 'f2eb19c5b405b1a26370f1b3a7e4fb387cd68e3c',
      slots: slotsWith(),
      state: 'fail',
      messageFlags: 4,
    },
    body: {
      type: 'ping',
      gossip: [],
      extensions: {
        hostname: 'host1.ex',
        shardId: '5dd7149c119437c90bbcb2252335834aef6dc696',
        forgotten: [{ nodeId: '66c96375dbdb268792c4771f937849ed9d6edede', ttlSeconds: 59 }],
      },
    },
  };
  expect(encodePacket(packet).equals(bytes)).toBe(true);
  expect(decodePacket(bytes)).toEqual({ kind: 'packet', packet });
});

test('an extension with a length that its type never has is passed over', () => {
  const plain = encodePacket({
    ...MEET,
    body: { type: 'meet', gossip: [], extensions: { ...NO_EXTENSIONS, hostname: 'a.b' } },
  });
  const wrong = captured(56, { 0: '0000002000020000', 32: '0000001800030000' });
  const bytes = Buffer.concat([plain, wrong]);
  bytes.writeUInt32BE(bytes.length, 4);
  bytes.writeUInt16BE(3, 2214);
  const decoded = decodePacket(bytes);
  expect(decoded.kind === 'packet' && decoded.packet.body).toEqual({
    type: 'meet',
    gossip: [],
    extensions: { ...NO_EXTENSIONS, hostname: 'a.b' },
  });
});

test('light messages have the bytes of Valkey 9.1.2, and are read between packets', () => {
  const light = Buffer.from(
    '52436d6200000021000100008004000000000004000000056368616e68656c6c6f',
    'hex',
  );
  const shard = Buffer.from(
    '52436d620000002200010000800a000000000004000000066368616e7368656c6c6f',
    'hex',
  );
  const body = {
    type: 'publish',
    channel: new Uint8Array(Buffer.from('chan')),
    message: new Uint8Array(Buffer.from('hello')),
  } as const;
  expect(encodeLight(body).equals(light)).toBe(true);
  const reader = new PacketReader();
  reader.feed(Buffer.concat([encodePacket(MEET), light, shard]));
  expect(reader.next()).toEqual({ kind: 'packet', packet: MEET });
  expect(reader.next()).toEqual({ kind: 'light', body });
  expect(reader.next()).toEqual({
    kind: 'light',
    body: { ...body, type: 'publishshard', message: new Uint8Array(Buffer.from('shello')) },
  });
  expect(reader.next()).toEqual({ kind: 'more' });
});

test('light messages of other types and with wrong lengths are skipped', () => {
  const light = encodeLight({
    type: 'publish',
    channel: new Uint8Array(3),
    message: new Uint8Array(5),
  });
  const reader = new PacketReader();
  const ping = Buffer.from(light);
  ping.writeUInt16BE(0x8000, 12);
  const long = Buffer.from(light);
  long.writeUInt32BE(0xffff_ffff, 16);
  reader.feed(Buffer.concat([ping, long, light.subarray(0, 16), encodePacket(MEET)]));
  expect(reader.next()).toEqual({ kind: 'ignored', reason: 'unknownType' });
  expect(reader.next()).toEqual({ kind: 'ignored', reason: 'badLength' });
});

const hexId = fc
  .array(fc.integer({ min: 0, max: 15 }), { minLength: 40, maxLength: 40 })
  .map((digits) => digits.map((digit) => digit.toString(16)).join(''));
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const counter = fc.integer({ min: 0, max: 2 ** 52 });
const bitmap = fc
  .array(fc.integer({ min: 0, max: 16383 }), { maxLength: 8 })
  .map((set) => slotsWith(...set));
const ip = fc.constantFrom('', '127.0.0.1', '10.1.2.3', '2001:db8::1');
const bytesOf = (maxLength: number) => fc.uint8Array({ maxLength });

const header = fc.record({
  port: uint16,
  plaintextPort: uint16,
  busPort: uint16,
  currentEpoch: counter,
  configEpoch: counter,
  offset: counter,
  sender: hexId,
  slots: bitmap,
  masterId: fc.option(hexId, { nil: undefined }),
  ip,
  flags: uint16,
  state: fc.constantFrom('ok' as const, 'fail' as const),
  messageFlags: fc.constantFrom(0, 1, 2, 3),
});
const gossip = fc.record({
  nodeId: hexId,
  pingSent: uint32,
  pongReceived: uint32,
  ip,
  port: uint16,
  busPort: uint16,
  flags: uint16,
  plaintextPort: uint16,
});
const body = fc.oneof(
  fc.record({
    type: fc.constantFrom('ping' as const, 'pong' as const, 'meet' as const),
    gossip: fc.array(gossip, { maxLength: 5 }),
    extensions: fc.record({
      hostname: fc.constantFrom('', 'a', 'redis-1.example.org', 'sevenby'),
      shardId: fc.option(hexId, { nil: undefined }),
      forgotten: fc.array(fc.record({ nodeId: hexId, ttlSeconds: uint32 }), { maxLength: 2 }),
    }),
  }),
  fc.record({ type: fc.constant('fail' as const), nodeId: hexId }),
  fc.record({
    type: fc.constantFrom('publish' as const, 'publishshard' as const),
    channel: bytesOf(20),
    message: bytesOf(200),
  }),
  fc.record({
    type: fc.constant('update' as const),
    nodeId: hexId,
    configEpoch: counter,
    slots: bitmap,
  }),
  fc.record({
    type: fc.constantFrom(
      'authRequest' as const,
      'authAck' as const,
      'mfstart' as const,
      'module' as const,
    ),
  }),
);
const packet: fc.Arbitrary<Packet> = fc.record({ header, body });

/** The codec sets this bit by itself. */
function withoutExtensionBit(value: Packet): Packet {
  const messageFlags = value.header.messageFlags & ~4;
  return { ...value, header: { ...value.header, messageFlags } };
}

function readAll(reader: PacketReader): Packet[] {
  const packets: Packet[] = [];
  for (let read = reader.next(); read.kind === 'packet'; read = reader.next()) {
    packets.push(withoutExtensionBit(read.packet));
  }
  return packets;
}

test('packets round-trip, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(packet, { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 5 }),
      (packets, cuts) => {
        const stream = Buffer.concat(packets.map((value) => encodePacket(value)));
        const reader = new PacketReader();
        const seen: Packet[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const end = at + cuts[i % cuts.length]!;
          reader.feed(stream.subarray(at, end));
          seen.push(...readAll(reader));
          at = end;
        }
        expect(seen).toEqual(packets);
      },
    ),
    { seed: SEED, numRuns: 60 },
  );
});

test('arbitrary and damaged bytes never throw and never grow the reader', () => {
  const damage = fc.array(fc.tuple(fc.integer({ min: 0, max: 2600 }), fc.nat(255)), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(packet, damage, bytesOf(64), (value, flips, tail) => {
      const bytes = Buffer.concat([encodePacket(value), tail]);
      for (const [at, byte] of flips) if (at < bytes.length) bytes[at] = byte;
      const reader = new PacketReader();
      reader.feed(bytes);
      for (let i = 0; i < 10; i++) {
        const read = reader.next();
        if (read.kind === 'more' || read.kind === 'malformed') break;
      }
      decodePacket(bytes);
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test('a wrong signature, a short length and a forged long one are refused at once', () => {
  const bytes = encodePacket(MEET).subarray(0, 14);
  const refusal = (change: (copy: Buffer) => void): unknown => {
    const copy = Buffer.from(bytes);
    change(copy);
    const reader = new PacketReader();
    reader.feed(copy);
    return reader.next();
  };
  expect(refusal((copy) => copy.write('GET '))).toEqual({
    kind: 'malformed',
    reason: 'badSignature',
  });
  expect(refusal((copy) => copy.writeUInt32BE(HEADER_SIZE - 1, 4))).toEqual({
    kind: 'malformed',
    reason: 'tooShort',
  });
  expect(refusal((copy) => copy.writeUInt32BE(0x7fff_ffff, 4))).toEqual({
    kind: 'malformed',
    reason: 'tooLong',
  });
});

test('a length that does not fit the type is skipped, the next packet is read', () => {
  const wrong = Buffer.concat([
    encodePacket({ ...MEET, body: { type: 'authAck' } }),
    Buffer.alloc(8),
  ]);
  wrong.writeUInt32BE(wrong.length, 4);
  const reader = new PacketReader();
  reader.feed(Buffer.concat([wrong, encodePacket(MEET)]));
  expect(reader.next()).toEqual({ kind: 'ignored', reason: 'badLength' });
  expect(reader.next()).toEqual({ kind: 'packet', packet: MEET });
});

test('a version we do not speak and counters beyond 2^52 are skipped', () => {
  const version = encodePacket(MEET);
  version.writeUInt16BE(2, 8);
  expect(decodePacket(version)).toEqual({ kind: 'ignored', reason: 'badVersion' });
  const epoch = encodePacket(MEET);
  epoch.writeUInt32BE(0xffff_ffff, 16);
  expect(decodePacket(epoch)).toEqual({ kind: 'ignored', reason: 'absurdCounter' });
});
