import { HEADERS } from '../../protocol/messages.ts';
import type { RequestHandler } from '../sync-request.ts';

/** Lets pages of one origin, or of any with `*`, talk to the server. Hosts with more to say put their own before it. */
export function allowCrossOrigin(handle: RequestHandler, allowOrigin: string): RequestHandler {
  const origin = { 'access-control-allow-origin': allowOrigin, ...(allowOrigin === '*' ? {} : { vary: 'origin' }) };
  const exposed = [...Object.values(HEADERS), 'retry-after'].join(', ');
  return async (request) => {
    if (request.method === 'OPTIONS') {
      const headers = {
        ...origin,
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '',
        'access-control-max-age': '86400',
      };
      return { status: 204, headers, body: null };
    }
    const response = await handle(request);
    return { ...response, headers: { ...response.headers, ...origin, 'access-control-expose-headers': exposed } };
  };
}
