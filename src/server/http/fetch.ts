import { concatBytes } from '../../shared/bytes.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { OpenStream, RequestHandler, SyncRequest } from '../sync-request.ts';

/** Answers a web-standard request: under Hono, Workers, Next, Bun, Deno. */
export type FetchHandler = (request: Request) => Promise<Response>;

/** Puts the web-standard face before a handler. */
export function createFetchHandler(handle: RequestHandler): FetchHandler {
  return async (request) => {
    const { status, headers, body, stream } = await handle(readRequest(request));
    if (stream !== undefined) return new Response(readableOf(stream, request.signal), { status, headers });
    return new Response(body as Uint8Array<ArrayBuffer> | null, { status, headers });
  };
}

/** A body that goes on, as the web has it. Who went away while the answer was made cancels no body. */
function readableOf(stream: OpenStream, signal: AbortSignal): ReadableStream<Uint8Array> {
  let stop = (): void => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      let isOpen = true;
      const close = (): void => {
        if (isOpen) controller.close();
        isOpen = false;
      };
      const leave = stream({ write: (chunk) => controller.enqueue(chunk), end: close });
      const onAbort = (): void => {
        stop();
        close();
      };
      stop = () => {
        signal.removeEventListener('abort', onAbort);
        leave();
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort);
    },
    cancel: () => stop(),
  });
}

function readRequest(request: Request): SyncRequest {
  const { pathname, searchParams } = new URL(request.url);
  return {
    method: request.method,
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(request.headers),
    body: (mostBytes) => readBody(request, mostBytes),
  };
}

/** Counts while it reads: what is too long is not held in memory first. */
async function readBody(request: Request, mostBytes: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > mostBytes) {
      await reader.cancel();
      throw new SyncFault('PROTOCOL_TOO_LARGE', `a message may have ${mostBytes} bytes`);
    }
    chunks.push(next.value);
  }
  return concatBytes(chunks);
}
