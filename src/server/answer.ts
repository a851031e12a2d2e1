import { encodeEnvelope } from './envelope.ts';
import { CONTENT_TYPE, HEADERS, type AnswerHead, type FaultAnswer, type ServerStamp } from '../protocol/messages.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { isFault, type FaultCode } from '../shared/fault.ts';
import type { ServerLogEvent } from './server-parts.ts';
import type { OpenStream, SyncResponse } from './sync-request.ts';

// An answer is to one attempt of one device: nobody may keep it for another.
const NO_STORE = { 'cache-control': 'no-store' };

/** A message as a response. */
export function messageResponse<Message extends AnswerHead>(message: Message): SyncResponse {
  return { status: 200, headers: { ...NO_STORE, 'content-type': CONTENT_TYPE }, body: encodeEnvelope(message) };
}

type HeadName = (typeof HEADERS)['protocol' | 'store' | 'attempt' | 'time' | 'epoch' | 'head' | 'schema'];

/** "Nothing new": the head in headers, no body. Names are written out: most answers are this one, and objects are made faster so. */
export function nothingNewResponse({ protocol, store, attempt, server }: AnswerHead): SyncResponse {
  const headers: Record<HeadName | 'cache-control', string> & Record<string, string> = {
    'cache-control': 'no-store',
    'fieldtide-protocol': String(protocol),
    'fieldtide-store': store,
    'fieldtide-attempt': attempt,
    'fieldtide-time': String(server.time),
    'fieldtide-epoch': String(server.epoch),
    'fieldtide-head': String(server.head),
    'fieldtide-schema': server.schema,
  };
  if (server.nextPollMs !== null) headers[HEADERS.nextPoll] = String(server.nextPollMs);
  return { status: 204, headers, body: null };
}

/** A stream of server-sent events, which nobody on the way is to gather first. */
export function eventStreamResponse(echo: { readonly store: string; readonly attempt: string }, stream: OpenStream): SyncResponse {
  const headers = {
    'cache-control': 'no-store, no-transform',
    'content-type': 'text/event-stream',
    'x-accel-buffering': 'no',
    [HEADERS.protocol]: String(PROTOCOL_VERSION),
    [HEADERS.store]: echo.store,
    [HEADERS.attempt]: echo.attempt,
  };
  return { status: 200, headers, body: null, stream };
}

/** What each fault is in HTTP. Anything else is the server's own failure, of which a client learns nothing. */
const STATUS_OF: Partial<Record<FaultCode, number>> = {
  AUTH_REQUIRED: 401,
  AUTH_REFUSED: 403,
  DEVICE_REVOKED: 403,
  PROTOCOL_MALFORMED: 400,
  PROTOCOL_CURSOR_INVALID: 400,
  PROTOCOL_NOT_FOUND: 404,
  PROTOCOL_TOO_LARGE: 413,
  PROTOCOL_VERSION_UNSUPPORTED: 426,
  SERVER_BUSY: 503,
};

const BUSY_RETRY_MS = 1_000;

/** Turns whatever was thrown into a typed error. */
export function faultResponse(thrown: unknown, log: (event: ServerLogEvent) => void): SyncResponse {
  const status = isFault(thrown) ? STATUS_OF[thrown.code] : undefined;
  if (status === undefined || !isFault(thrown)) {
    log({ level: 'error', event: 'request:failed', message: 'a request failed', cause: thrown });
    return errorResponse(500, { code: 'SERVER_FAILED', message: 'the server failed; try again later' });
  }
  const { retryAfterMs } = thrown.details;
  return errorResponse(status, { code: thrown.code, message: thrown.message }, status !== 503 ? undefined : typeof retryAfterMs === 'number' ? retryAfterMs : BUSY_RETRY_MS);
}

/** A typed error. */
export function errorResponse(status: number, error: FaultAnswer['error'], retryAfterMs?: number): SyncResponse {
  const answer: FaultAnswer = { protocol: PROTOCOL_VERSION, error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  const headers: Record<string, string> = { ...NO_STORE, 'content-type': CONTENT_TYPE };
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000));
  return { status, headers, body: encodeEnvelope(answer) };
}

/** What a server says of itself in each answer. */
export type StampSource = (epoch: number, head: number) => ServerStamp;

/** The head of an answer. */
export function answerHead(echo: { readonly store: string; readonly attempt: string }, server: ServerStamp): AnswerHead {
  return { protocol: PROTOCOL_VERSION, store: echo.store, attempt: echo.attempt, server };
}
