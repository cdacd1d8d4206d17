/**
 * DUMP payloads for a server of another version than theirs: as they stand where its RESTORE takes them, sealed with the
 * lowest version that has their type; in an older form of the type otherwise.
 */
import {
  type Bytes,
  DUMP_FOOTER_BYTES,
  OLDEST_PAYLOAD_VERSION,
  PlainForms,
  VERSION_OF_REDIS_4,
  VERSION_OF_REDIS_7_4,
  VERSION_OF_VALKEY_9,
  typeFamily,
  payloadVersionOf,
  sealDump,
} from '../../rdb/index.ts';
import type { Abilities } from './abilities.ts';

/** What to do about a field that expires where the target has none such: end, or keep the field for good. */
export type FieldExpiryPolicy = 'refuse' | 'drop';

/** `isFieldExpiry`: the policy could help. */
export interface Unfit {
  readonly kind: 'unfit';
  readonly reason: string;
  readonly isFieldExpiry: boolean;
}

/** Type, value and the version to seal them with. `value` is valid until the next call. */
export interface Fitted {
  readonly kind: 'fitted';
  readonly type: number;
  readonly version: number;
  readonly value: Bytes;
}

export class PayloadFitter {
  /** Fields that lost their expiry. */
  droppedFields = 0;
  readonly #abilities: Abilities;
  readonly #policy: FieldExpiryPolicy;
  readonly #forms: PlainForms;
  readonly #fieldExpiry: 'redis' | 'valkey' | undefined;

  constructor(abilities: Abilities, policy: FieldExpiryPolicy) {
    this.#abilities = abilities;
    this.#policy = policy;
    this.#fieldExpiry = fieldExpiryOf(abilities);
    this.#forms = new PlainForms({
      hasDoubles: abilities.takesPayload(VERSION_OF_REDIS_4),
      fieldExpiry: this.#fieldExpiry,
    });
  }

  /** `value` is what stands between the type and the footer of a payload. */
  fit(type: number, value: Bytes): Fitted | Unfit {
    const version = payloadVersionOf(type);
    if (version === undefined) return unfit(`a ${typeFamily(type)}, which is not known here`);
    if (this.#takes(version)) return { kind: 'fitted', type, version, value };
    const form = this.#forms.write(type, value);
    if (typeof form === 'string') return unfit(`${typeFamily(type)}: ${form}`);
    const { expiringFields, bytes } = form;
    if (expiringFields > 0 && this.#fieldExpiry === undefined) {
      const refused = this.dropField(expiringFields);
      if (refused !== undefined) return refused;
    }
    const plainVersion = payloadVersionOf(form.type) ?? OLDEST_PAYLOAD_VERSION;
    if (!this.#takes(plainVersion)) {
      return unfit(`${this.#abilities.product} has no values of this type: ${typeFamily(type)}`);
    }
    const plain = { buf: bytes, at: 0, size: bytes.length };
    return { kind: 'fitted', type: form.type, version: plainVersion, value: plain };
  }

  /** A whole payload, as DUMP answers it. */
  fitPayload(payload: Buffer): Buffer | Unfit {
    const size = payload.length - 1 - DUMP_FOOTER_BYTES;
    const fitted = this.fit(payload[0] ?? 0, { buf: payload, at: 1, size });
    return fitted.kind === 'unfit' ? fitted : sealed(fitted);
  }

  /** A version that has fields that expire is of use only where there are such fields. */
  #takes(version: number): boolean {
    const isOfFields = version === VERSION_OF_REDIS_7_4 || version === VERSION_OF_VALKEY_9;
    if (isOfFields && this.#fieldExpiry === undefined) return false;
    return this.#abilities.takesPayload(version);
  }

  /** So many fields cannot keep their expiry. Answers why not where they must. */
  dropField(count: number = 1): Unfit | undefined {
    if (this.#policy === 'refuse') {
      const reason = `fields of it expire, which ${this.#abilities.product} does not have`;
      return { kind: 'unfit', reason, isFieldExpiry: true };
    }
    this.droppedFields += count;
    return undefined;
  }
}

function fieldExpiryOf(abilities: Abilities): 'redis' | 'valkey' | undefined {
  if (!abilities.hasFieldExpiry) return undefined;
  if (abilities.takesPayload(VERSION_OF_VALKEY_9)) return 'valkey';
  return abilities.takesPayload(VERSION_OF_REDIS_7_4) ? 'redis' : undefined;
}

function sealed({ type, version, value: { buf, at, size } }: Fitted): Buffer {
  const payload = Buffer.allocUnsafe(1 + size + DUMP_FOOTER_BYTES);
  payload[0] = type;
  buf.copy(payload, 1, at, at + size);
  sealDump(payload, 0, 1 + size, version);
  return payload;
}

function unfit(reason: string): Unfit {
  return { kind: 'unfit', reason, isFieldExpiry: false };
}
