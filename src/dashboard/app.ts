/** The routes: the page, its stream, its actions. Every request passes the guard first. */
import { Hono, type Context } from 'hono';
import { type NodeAddress } from '../client/index.ts';
import { ToolError, asToolError } from '../tools/index.ts';
import { addAdminRoutes, deploymentFigures } from '../tools/metrics/index.ts';
import type { Watched } from '../tools/watch/index.ts';
import type { Actions } from './actions.ts';
import { type Asset } from './assets.ts';
import { type Guard, type RequestFacts, SECURITY_HEADERS } from './guard.ts';
import type { Hello, PlanRequest, RunState, Session } from './messages.ts';
import { streamAnswer } from './stream.ts';

export interface AppParts {
  readonly version: string;
  readonly seeds: readonly NodeAddress[];
  readonly watcher: Watched;
  readonly guard: Guard;
  /** Undefined where there is nothing to act on. */
  readonly actions: Actions | undefined;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly hello: () => Hello;
  readonly onRun: (listener: (run: RunState) => void) => () => void;
  /** Raised when the server ends. */
  readonly ending: AbortSignal;
}

/** A request body is a few words. */
const BODY_BYTES_MAX = 4096;

export function createApp(parts: AppParts): Hono {
  const { guard } = parts;
  const app = new Hono();
  app.use(async (context, next) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
    const facts = factsOf(context);
    if (!guard.knowsHost(facts)) {
      return context.text('This name is not known here: start the dashboard with --host', 421);
    }
    const isProbe = context.req.path === '/healthz' || context.req.path === '/readyz';
    const isLogin = context.req.path === '/' && context.req.query('token') !== undefined;
    if (!isProbe && !isLogin && !guard.mayLook(facts)) {
      return context.text('Open the URL that the terminal shows, token and all', 401);
    }
    return next();
  });
  app.get('/', (context) => {
    const token = context.req.query('token');
    if (token === undefined) return sendAsset(context, parts.assets.get('/'));
    // The token leaves the address bar, the history and every screenshot.
    if (guard.isToken(token)) context.header('Set-Cookie', guard.cookieFor(factsOf(context)));
    return context.redirect('/');
  });
  app.get('/assets/*', (context) => sendAsset(context, parts.assets.get(context.req.path)));
  app.get('/icon.svg', (context) => sendAsset(context, parts.assets.get('/icon.svg')));
  app.get('/licences.txt', (context) => sendAsset(context, parts.assets.get('/licences.txt')));
  addAdminRoutes(app, {
    figures: () => deploymentFigures(parts.watcher),
    whyNotReady: () => {
      const { state, name } = parts.watcher.snapshot;
      return Promise.resolve(state === 'fail' ? `${name} does not serve` : undefined);
    },
  });
  addApi(app, parts);
  return app;
}

function addApi(app: Hono, parts: AppParts): void {
  const { guard, watcher } = parts;
  app.get('/api/session', (context) => {
    context.header('Cache-Control', 'no-store');
    return context.json(sessionOf(context, parts));
  });
  app.get('/api/snapshot', (context) => context.json(watcher.snapshot));
  app.get('/api/events', (context) => context.json(watcher.events));
  app.get('/api/stream', (context) => streamAnswer(context, parts, parts.ending));
  app.post('/api/*', async (context, next) => {
    const refusal = guard.refusalToAct(factsOf(context));
    if (refusal !== undefined) return context.json({ error: refusal }, 403);
    if (context.req.header('content-type') !== 'application/json') {
      return context.json({ error: 'not JSON' }, 415);
    }
    if (Number(context.req.header('content-length') ?? Infinity) > BODY_BYTES_MAX) {
      return context.json({ error: 'too long' }, 413);
    }
    return next();
  });
  app.post('/api/plan', (context) =>
    acting(context, parts, async (actions, body) => {
      const { node } = body as Partial<PlanRequest>;
      if (node !== undefined && typeof node !== 'string') {
        throw new ToolError('USAGE', 'node is not a text');
      }
      return actions.plan(node);
    }),
  );
  app.post('/api/run', (context) =>
    acting(context, parts, (actions, body) => {
      const { id } = body as { readonly id?: unknown };
      if (typeof id !== 'string') throw new ToolError('USAGE', 'id is not a text');
      actions.start(id);
      return Promise.resolve({ id });
    }),
  );
}

async function acting(
  context: Context,
  { actions }: AppParts,
  act: (actions: Actions, body: object) => Promise<unknown>,
): Promise<Response> {
  if (actions === undefined) return context.json({ error: NO_ACTIONS }, 409);
  try {
    const body: unknown = await readJson(context);
    if (typeof body !== 'object' || body === null) throw new ToolError('USAGE', 'not an object');
    return context.json(await act(actions, body));
  } catch (thrown) {
    const error = asToolError(thrown);
    if (!(error instanceof ToolError)) throw error;
    return context.json({ error: error.message }, error.code === 'USAGE' ? 400 : 409);
  }
}

async function readJson(context: Context): Promise<unknown> {
  try {
    return await context.req.json<unknown>();
  } catch (error) {
    throw new ToolError('USAGE', 'not JSON', error);
  }
}

const NO_ACTIONS = 'there is a switchover for clusters and Sentinels only';

function sessionOf(context: Context, { guard, actions, version }: AppParts): Session {
  const facts = factsOf(context);
  // A page that is being loaded has no header to send yet: whether it may act is told without it.
  const refusal =
    actions === undefined
      ? NO_ACTIONS
      : guard.refusalToAct({
          ...facts,
          csrf: guard.csrf,
          origin: guard.originOf(facts.host),
        });
  const mayAct = refusal === undefined;
  return { version, mayAct, refusal, csrf: mayAct ? guard.csrf : undefined };
}

function factsOf(context: Context): RequestFacts {
  const { req } = context;
  return {
    host: req.header('host'),
    origin: req.header('origin'),
    cookie: req.header('cookie'),
    authorization: req.header('authorization'),
    csrf: req.header('x-slotline-csrf'),
  };
}

function sendAsset(context: Context, asset: Asset | undefined): Response {
  if (asset === undefined) return context.notFound() as Response;
  const takesGzip = /\bgzip\b/.test(context.req.header('accept-encoding') ?? '');
  context.header('Content-Type', asset.type);
  context.header('Vary', 'Accept-Encoding');
  const forever = 'public, max-age=31536000, immutable';
  context.header('Cache-Control', asset.isHashed ? forever : 'no-cache');
  if (takesGzip) context.header('Content-Encoding', 'gzip');
  return context.body(new Uint8Array(takesGzip ? asset.gzip : asset.body));
}
