/**
 * Who may look and who may act. Three dangers: another machine (a bind that is not loopback asks for a token everywhere),
 * another page in the user's browser (same origin, a header that only our page can send, cookies that do not travel), and
 * a foreign name that resolves to this address (only known names are answered: DNS rebinding).
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';

export interface GuardOptions {
  /** Address and port it listens on. */
  readonly bind: string;
  readonly port: number;
  /**
   * Further names by which browsers reach it, without port; or, as `https://name`, what a proxy in front of it is called,
   * through which it is reached from elsewhere.
   */
  readonly hosts: readonly string[];
  /** Lets people act where others can reach it too. */
  readonly allowsActions: boolean;
}

/** What a request says of itself. */
export interface RequestFacts {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
  /** The header that other pages cannot send. */
  readonly csrf: string | undefined;
}

const SECRET_BYTES = 24;
/** Left out of a host by browsers. */
const HTTP_PORT = 80;

export class Guard {
  /** Part of the URL that the terminal shows. */
  readonly token: string = randomBytes(SECRET_BYTES).toString('base64url');
  /** What our page sends back with every action. */
  readonly csrf: string = randomBytes(SECRET_BYTES).toString('base64url');
  readonly #session: string = randomBytes(SECRET_BYTES).toString('base64url');
  readonly #options: GuardOptions;
  /** Origin of the page by what requests for it name as their host. */
  readonly #origins: Map<string, string> = new Map();

  constructor(options: GuardOptions) {
    this.#options = options;
    const own = isLoopbackName(options.bind)
      ? ['127.0.0.1', 'localhost', '[::1]', bracketed(options.bind)]
      : [bracketed(options.bind)];
    for (const name of [...own, ...options.hosts]) this.#addName(name.toLowerCase());
  }

  /** Whether nobody reaches it but this machine, as far as is known. */
  get isLocal(): boolean {
    const { bind, hosts } = this.#options;
    return isLoopbackName(bind) && !hosts.some(isProxy);
  }

  /** Whether anybody at all may act. */
  get allowsActions(): boolean {
    return this.isLocal || this.#options.allowsActions;
  }

  /** Whether the request was meant for this server. */
  knowsHost({ host }: RequestFacts): boolean {
    return this.originOf(host) !== undefined;
  }

  /** Where our page is from when it asks for this host; undefined where that is none of ours. */
  originOf(host: string | undefined): string | undefined {
    return this.#origins.get((host ?? '').toLowerCase());
  }

  isToken(text: string): boolean {
    return equalSecrets(text, this.token);
  }

  /** Whether the request has the token, as a cookie or, from a program, as `Authorization: Bearer`. */
  isKnown(request: RequestFacts): boolean {
    const bearer = /^Bearer (\S+)$/i.exec(request.authorization ?? '')?.[1];
    if (bearer !== undefined && this.isToken(bearer)) return true;
    return this.#hasCookie(request);
  }

  mayLook(request: RequestFacts): boolean {
    return this.isLocal || this.isKnown(request);
  }

  /** Why the request may not act; undefined when it may. */
  refusalToAct(request: RequestFacts): string | undefined {
    if (!this.allowsActions) return 'actions are off: start the dashboard with --allow-actions';
    if (!this.#hasCookie(request)) return 'open the URL that the terminal shows, token and all';
    const origin = this.originOf(request.host);
    if (origin === undefined || request.origin !== origin) return 'the request is of another page';
    if (!equalSecrets(request.csrf ?? '', this.csrf)) return 'the page is too old: load it again';
    return undefined;
  }

  /** For `Set-Cookie`. Browsers do not keep ports apart, so the name has it. */
  cookieFor({ host }: RequestFacts): string {
    const secure = this.originOf(host)?.startsWith('https:') === true ? '; Secure' : '';
    return `${this.#cookieName}=${this.#session}; Path=/; HttpOnly; SameSite=Strict${secure}`;
  }

  #addName(name: string): void {
    if (isProxy(name)) {
      const { host, origin } = new URL(name);
      this.#origins.set(host, origin);
      return;
    }
    const { port } = this.#options;
    const places = [`${name}:${port}`, ...(port === HTTP_PORT ? [name] : [])];
    for (const place of places) this.#origins.set(place, `http://${place}`);
  }

  get #cookieName(): string {
    return `slotline-${this.#options.port}`;
  }

  #hasCookie({ cookie }: RequestFacts): boolean {
    const pairs = (cookie ?? '').split(';').map((pair) => pair.trim());
    return pairs.some((pair) => equalSecrets(pair, `${this.#cookieName}=${this.#session}`));
  }
}

/** Headers of every answer. The page needs nothing but its own files and its own stream. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
};

export function isLoopbackName(name: string): boolean {
  return name.startsWith('127.') || name === '::1' || name === 'localhost';
}

function isProxy(host: string): boolean {
  return host.includes('://');
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Takes as long whatever differs. */
function equalSecrets(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
