import { CONTENT_TYPE } from '../protocol/messages.ts';
import type { Clock } from '../shared/clock.ts';
import { isFault, SyncFault } from '../shared/fault.ts';
import { platformClock, platformFetch, type FetchFunction } from '../shared/platform.ts';
import { createCutoff, type Cutoff } from './cutoff.ts';
import { isEventStream, readHints, watchSilence } from './hint-stream.ts';
import { readBody } from './read-body.ts';
import { createTokenSource, type TokenProvider, type TokenSource } from './token-source.ts';
import type { TransportAdapter, TransportRequest, TransportResponse } from './transport-adapter.ts';

/** How to reach the server. */
export interface HttpOptions {
  /** The server's base URL, such as `https://api.example.com/sync`. */
  readonly url: string;
  /**
   * Gives the access token that goes out as `Authorization: Bearer`. Called once for all requests that wait for it, kept, and called
   * again with `reason: 'refused'` when the server answers 401; the request is then repeated once.
   */
  readonly token?: TokenProvider;
  /** Headers for every request, such as a tenant's name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long a request may take, the wait for a token and a repeat included, in milliseconds. @defaultValue 30_000 */
  readonly timeoutMs?: number;
  /** Most bytes of an answer, counted after decompression. @defaultValue 16_777_216 */
  readonly maxBodyBytes?: number;
  /** @defaultValue the platform's `fetch` */
  readonly fetch?: FetchFunction;
  /** @defaultValue the platform's clock */
  readonly clock?: Clock;
}

/** Makes a transport over `fetch`. Offline and unreachable servers alike fail with `TRANSPORT_UNREACHABLE`. */
export function http(options: HttpOptions): TransportAdapter {
  const base = baseUrl(options.url);
  const { timeoutMs = 30_000, maxBodyBytes = 16 * 1024 * 1024, fetch = platformFetch, clock = platformClock, headers = {} } = options;
  checkHeaders(headers);
  const tokens = options.token === undefined ? null : createTokenSource(options.token);
  const route: Route = { base, headers, fetch, maxBodyBytes };
  const underWay = new Set<Cutoff>();
  let isClosed = false;

  async function send(request: TransportRequest): Promise<TransportResponse> {
    // The query stays out of faults and logs: it names records and cursors.
    const what = `${request.method} ${request.path.split('?', 1)[0]!}`;
    if (isClosed) throw closed(what);
    const cutoff = createCutoff({ clock, timeoutMs, signal: request.signal, what });
    underWay.add(cutoff);
    try {
      return await readWhole(route, await fetchWithToken(route, tokens, request, cutoff), cutoff);
    } catch (thrown) {
      throw cutoff.fault ?? (isFault(thrown) ? thrown : unreachable(what, thrown));
    } finally {
      cutoff.release();
      underWay.delete(cutoff);
    }
  }

  async function hints(request: TransportRequest, onHint: () => void): Promise<TransportResponse | null> {
    const what = `GET ${request.path}`;
    if (isClosed) throw closed(what);
    const cutoff = createCutoff({ clock, timeoutMs: Infinity, signal: request.signal, what });
    const silence = watchSilence(cutoff, clock);
    underWay.add(cutoff);
    try {
      const response = await fetchWithToken(route, tokens, request, cutoff);
      if (!isEventStream(response)) return await readWhole(route, response, cutoff);
      await readHints(response, cutoff, silence, onHint);
      return null;
    } catch (thrown) {
      throw cutoff.fault ?? (isFault(thrown) ? thrown : unreachable(what, thrown));
    } finally {
      silence.stop();
      cutoff.release();
      underWay.delete(cutoff);
    }
  }

  return {
    send,
    hints,
    close() {
      isClosed = true;
      for (const cutoff of underWay) cutoff.cut(closed('a request'));
    },
  };
}

interface Route {
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: FetchFunction;
  readonly maxBodyBytes: number;
}

async function fetchWithToken(route: Route, tokens: TokenSource | null, request: TransportRequest, cutoff: Cutoff): Promise<Response> {
  if (tokens === null) return fetchOnce(route, null, request, cutoff);
  const token = await cutoff.race(tokens.current());
  const response = await fetchOnce(route, token, request, cutoff);
  if (response.status !== 401) return response;
  // Not awaited, and of no interest: what is left unread may hold the connection.
  response.body?.cancel().catch(() => {});
  return fetchOnce(route, await cutoff.race(tokens.renew(token)), request, cutoff);
}

function fetchOnce(route: Route, token: string | null, request: TransportRequest, cutoff: Cutoff): Promise<Response> {
  if (cutoff.fault !== null) throw cutoff.fault;
  return cutoff.race(route.fetch(route.base + request.path, requestInit(route, token, request, cutoff)));
}

async function readWhole(route: Route, response: Response, cutoff: Cutoff): Promise<TransportResponse> {
  const body = await readBody(response, route.maxBodyBytes, cutoff);
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

function requestInit(route: Route, token: string | null, { method, headers, body }: TransportRequest, cutoff: Cutoff): RequestInit {
  const sent = new Headers({ accept: CONTENT_TYPE, ...route.headers, ...headers });
  if (token !== null) sent.set('authorization', `Bearer ${token}`);
  if (body !== undefined) sent.set('content-type', CONTENT_TYPE);
  return {
    method,
    headers: sent,
    ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    signal: cutoff.signal,
    // A cached page of somebody's feed is never an answer to this request.
    cache: 'no-store',
    // Never followed: the server has no redirects, and a sign-in page of a hotel network must not get a body that was meant for it. As
    // 'manual' it comes back as an answer that is not ours, where 'error' would look like no network at all.
    redirect: 'manual',
  };
}

function baseUrl(url: string): string {
  if (typeof url !== 'string' || url === '' || /[?#]/.test(url)) {
    throw new SyncFault('OPTION_INVALID', 'url must be the base URL of the server, without a query', { details: { option: 'url' } });
  }
  return url.endsWith('/') ? url : `${url}/`;
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  try {
    void new Headers(headers);
  } catch (cause) {
    throw new SyncFault('OPTION_INVALID', 'headers do not fit in a request', { details: { option: 'headers' }, cause });
  }
}

function unreachable(what: string, cause: unknown): SyncFault {
  return new SyncFault('TRANSPORT_UNREACHABLE', `${what} did not reach the server`, { cause });
}

function closed(what: string): SyncFault {
  return new SyncFault('TRANSPORT_ABORTED', `${what} was aborted: the transport is closed`);
}
