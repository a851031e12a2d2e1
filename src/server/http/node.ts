import { concatBytes } from '../../shared/bytes.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { OpenStream, RequestHandler, SyncRequest, SyncResponse } from '../sync-request.ts';

// What is used of Node's classes, so that neither the code nor its types need Node: the server also runs where there is none.

/** As much of `http.IncomingMessage` as is used. */
export interface NodeRequest {
  /** The HTTP method, in capitals; `undefined` counts as none. */
  readonly method?: string | undefined;
  /** Path and query as they stand in the request line. */
  readonly url?: string | undefined;
  /** Headers by lower-case name, as Node gives them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Whether the whole body has come in; where it has not, the answer ends the connection. */
  readonly complete: boolean;
  /** Hears the body chunk by chunk. */
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  /** Hears that the body is complete, or that the connection is gone. */
  on(event: 'end' | 'close', listener: () => void): unknown;
  /** Hears that the body ended early; the request is then answered as malformed. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Reads the rest of a body that is too long into nothing, so that the sender gets to the answer. */
  resume(): unknown;
}

/** As much of `http.ServerResponse` as is used. */
export interface NodeResponse {
  /** Whether the connection is gone. */
  readonly destroyed: boolean;
  /** Sends status and headers; called once for each request. */
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  /** Sends a part of a body that goes on. */
  write(chunk: Uint8Array): unknown;
  /** Sends the body, where there is one, and ends the answer. */
  end(body?: Uint8Array): unknown;
  /** Hears that the other side went away, which is nothing to act on: the device asks again. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Hears that the connection is gone, or that all was sent. */
  on(event: 'close', listener: () => void): unknown;
}

/** Answers Node's own requests: `createServer(server.nodeListener)`, or a route of Express or Fastify. */
export type NodeListener = (request: NodeRequest, response: NodeResponse) => void;

/** Puts Node's face before a handler. */
export function createNodeListener(handle: RequestHandler): NodeListener {
  return (request, response) => {
    response.on('error', ignore);
    void handle(readRequest(request)).then((answer) => send(request, response, answer));
  };
}

/** The other side went away; it asks again. */
function ignore(): void {}

function send(request: NodeRequest, response: NodeResponse, { status, headers, body, stream }: SyncResponse): void {
  // What is left of a body that was not read would be taken for the next request.
  const isUnread = request.method === 'POST' && !request.complete;
  const sent = isUnread ? { ...headers, connection: 'close' } : headers;
  if (stream !== undefined) {
    response.writeHead(status, sent);
    sendOn(response, stream);
  } else if (body === null) {
    response.writeHead(status, sent);
    response.end();
  } else {
    response.writeHead(status, { ...sent, 'content-length': String(body.length) });
    response.end(body);
  }
}

function sendOn(response: NodeResponse, stream: OpenStream): void {
  const stop = stream({ write: (chunk) => void response.write(chunk), end: () => void response.end() });
  response.on('close', stop);
  // It may have gone while the answer was made: nothing tells of it again.
  if (response.destroyed) stop();
}

function readRequest(request: NodeRequest): SyncRequest {
  const { url = '' } = request;
  const at = url.indexOf('?');
  return {
    method: request.method ?? '',
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? {} : readQuery(url.slice(at + 1)),
    headers: readHeaders(request.headers),
    body: (mostBytes) => readBody(request, mostBytes),
  };
}

/** A cursor has nothing in it to decode, and needs no object for each step of that. */
function readQuery(text: string): SyncRequest['query'] {
  const parts = /^([a-z]+)=([\w.-]*)$/.exec(text);
  return parts === null ? Object.fromEntries(new URLSearchParams(text)) : { [parts[1]!]: parts[2]! };
}

/** Nearly always they are what they should be, and a poll is too cheap to copy them. */
function readHeaders(headers: NodeRequest['headers']): SyncRequest['headers'] {
  if (areTexts(headers)) return headers;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]));
}

function areTexts(headers: NodeRequest['headers']): headers is Readonly<Record<string, string>> {
  for (const name in headers) if (typeof headers[name] !== 'string') return false;
  return true;
}

/** Counts while it reads: what is too long is not held in memory first. */
function readBody(request: NodeRequest, mostBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): void => {
      reject(new SyncFault('PROTOCOL_TOO_LARGE', `a message may have ${mostBytes} bytes`));
      request.resume(); // Read on into nothing, or the sender never looks at the answer.
    };
    if (Number(request.headers['content-length'] ?? 0) > mostBytes) return tooLarge();
    const chunks: Uint8Array[] = [];
    let length = 0;
    request.on('data', (chunk) => {
      length += chunk.length;
      if (length <= mostBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        tooLarge();
      }
    });
    request.on('end', () => resolve(concatBytes(chunks)));
    const endedEarly = (): void => reject(new SyncFault('PROTOCOL_MALFORMED', 'the body ended early'));
    request.on('error', endedEarly);
    request.on('close', endedEarly);
  });
}
