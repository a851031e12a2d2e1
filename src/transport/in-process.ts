import { http, type HttpOptions } from './http.ts';
import type { TransportAdapter } from './transport-adapter.ts';

/** Where requests go when there is no network between. */
export interface InProcessOptions extends Pick<HttpOptions, 'token' | 'headers' | 'timeoutMs' | 'maxBodyBytes' | 'clock'> {
  /** The server's `fetch`. */
  readonly handle: (request: Request) => Promise<Response>;
  /** The base URL that the server sees. @defaultValue 'http://in-process.invalid/' */
  readonly url?: string;
}

/**
 * Makes a transport that hands requests straight to a server in the same process: the way of {@link http} without the wire, so that
 * tokens, aborts and limits behave alike. There is no deadline unless `timeoutMs` sets one.
 */
export function inProcess({ handle, url = 'http://in-process.invalid/', timeoutMs = Infinity, ...options }: InProcessOptions): TransportAdapter {
  return http({ ...options, url, timeoutMs, fetch: async (target, init) => handle(new Request(target, init)) });
}
