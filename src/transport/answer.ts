import { decodeEnvelope } from '../protocol/envelope.ts';
import { CONTENT_TYPE, HEADERS, type AnswerHead, type FaultAnswer } from '../protocol/messages.ts';
import { parseFaultAnswer } from '../protocol/parse.ts';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from '../protocol/version.ts';
import { SERVER_FAULT_CODES } from '../shared/fault-codes.ts';
import { isFault, SyncFault, type FaultCode } from '../shared/fault.ts';
import { isEcho, type Echo, type IsEcho } from './echo.ts';
import { MOST_WAIT_MS, readRetryAfter } from './retry-after.ts';
import type { TransportResponse } from './transport-adapter.ts';

export { MOST_WAIT_MS } from './retry-after.ts';

/** What the answer to a request must look like. */
export interface ExpectedAnswer<Message extends AnswerHead> {
  /** Sent with the request, and echoed by its answer: with another store or attempt it is the answer to something else. */
  readonly store: string;
  readonly attempt: string;
  /** @internal @defaultValue {@link isEcho} */
  readonly isEcho?: IsEcho;
  /** The core's check of bytes that nobody has looked at yet (`Core.scanMessage`); nothing is decoded when it says no. */
  readonly scan: ScanMessage;
  /** Such as `parseUploadAnswer`. */
  readonly parse: (envelope: unknown) => Message;
}

type ScanMessage = (bytes: Uint8Array) => boolean;

/** The answer to a poll; without a page there is nothing new. */
export interface PollAnswer<Message extends AnswerHead> {
  readonly page: Message | null;
  readonly head: AnswerHead;
}

/**
 * Reads a response as the answer to a request of ours, or says why it is none. Only what this returns may settle anything: what a
 * proxy, a captive portal, a cache or another request answered never does.
 *
 * @throws {@link SyncFault} `TRANSPORT_BAD_ANSWER` when it is no answer of ours; `AUTH_REQUIRED`, `AUTH_REFUSED`, `TRANSPORT_BUSY` (with
 * `details.retryAfterMs` when the server said), `PROTOCOL_…` or `SERVER_…` when the server refused.
 */
export function readAnswer<Message extends AnswerHead>(response: TransportResponse, expected: ExpectedAnswer<Message>): Message {
  if (response.status >= 400) throw readFault(response, expected.scan);
  if (response.status !== 200) throw badAnswer(response, 'its status is none of ours');
  const message = readMessage(response, expected.scan, expected.parse);
  assertEcho(response, message, expected);
  return message;
}

/** Reads the answer to a poll: as {@link readAnswer} does, or from the headers of a 204, which stand in for a body. */
export function readPollAnswer<Message extends AnswerHead>(response: TransportResponse, expected: ExpectedAnswer<Message>): PollAnswer<Message> {
  const page = response.status === 204 ? null : readAnswer(response, expected);
  const head = page ?? readHead(response);
  assertEcho(response, head, expected);
  return { page, head };
}

function readMessage<Message>(response: TransportResponse, scan: ScanMessage, parse: (envelope: unknown) => Message): Message {
  if (mediaType(response) !== CONTENT_TYPE) throw badAnswer(response, 'its content type is not ours');
  if (!scan(response.body)) throw badAnswer(response, 'its body is no message');
  try {
    return parse(decodeEnvelope(response.body));
  } catch (cause) {
    throw isFault(cause, 'PROTOCOL_MALFORMED') ? badAnswer(response, 'its body is not the message asked for', cause) : cause;
  }
}

function assertEcho(response: TransportResponse, head: AnswerHead, expected: Echo & { readonly isEcho?: IsEcho }): void {
  if ((expected.isEcho ?? isEcho)(head, expected)) return;
  throw badAnswer(response, head.store === expected.store ? 'it is for another attempt' : 'it is for another store');
}

function readHead(response: TransportResponse): AnswerHead {
  const protocol = readNumber(response, HEADERS.protocol);
  if (protocol < OLDEST_PROTOCOL_VERSION || protocol > PROTOCOL_VERSION) {
    throw new SyncFault('PROTOCOL_VERSION_UNSUPPORTED', `the server answered in protocol ${protocol}`, { details: { protocol } });
  }
  return {
    protocol,
    store: readText(response, HEADERS.store),
    attempt: readText(response, HEADERS.attempt),
    server: {
      time: readNumber(response, HEADERS.time),
      epoch: readNumber(response, HEADERS.epoch),
      head: readNumber(response, HEADERS.head),
      nextPollMs: response.headers[HEADERS.nextPoll] === undefined ? null : readNumber(response, HEADERS.nextPoll),
      schema: readText(response, HEADERS.schema),
    },
  };
}

function readText(response: TransportResponse, name: string): string {
  const value = response.headers[name];
  if (value === undefined || value === '' || value.length > 255) throw badAnswer(response, `its header ${name} is missing or too long`);
  return value;
}

function readNumber(response: TransportResponse, name: string): number {
  const value = readText(response, name);
  const number = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number)) throw badAnswer(response, `its header ${name} is no whole number`);
  return number;
}

function readFault(response: TransportResponse, scan: ScanMessage): SyncFault {
  const { status } = response;
  const answer = readFaultAnswer(response, scan);
  const code = faultCode(status, answer);
  if (code === null) return badAnswer(response, 'it is an error that is not ours');
  const retryAfterMs = answer?.retryAfterMs === undefined ? readRetryAfter(response.headers) : Math.min(answer.retryAfterMs, MOST_WAIT_MS);
  return new SyncFault(code, answer?.error.message ?? `the answer has status ${status}`, {
    details: { status, ...(answer === null ? {} : { serverCode: answer.error.code }), ...(retryAfterMs === null ? {} : { retryAfterMs }) },
  });
}

function readFaultAnswer(response: TransportResponse, scan: ScanMessage): FaultAnswer | null {
  try {
    return readMessage(response, scan, parseFaultAnswer);
  } catch {
    return null;
  }
}

// What a gateway may say in the server's name: none of it settles anything, all of it asks for patience or a token.
const CODE_FROM_ANYBODY: Readonly<Record<number, FaultCode>> = { 401: 'AUTH_REQUIRED', 429: 'TRANSPORT_BUSY', 503: 'TRANSPORT_BUSY' };

const CODE_FROM_SERVER: Readonly<Record<number, FaultCode>> = {
  403: 'AUTH_REFUSED',
  413: 'PROTOCOL_TOO_LARGE',
  426: 'PROTOCOL_VERSION_UNSUPPORTED',
};

function faultCode(status: number, answer: FaultAnswer | null): FaultCode | null {
  if (CODE_FROM_ANYBODY[status] !== undefined) return CODE_FROM_ANYBODY[status];
  if (answer === null) return null;
  if (answer.error.code === 'DEVICE_REVOKED') return 'DEVICE_REVOKED';
  if (CODE_FROM_SERVER[status] !== undefined) return CODE_FROM_SERVER[status];
  const named = SERVER_FAULT_CODES.find((code) => code === answer.error.code);
  return named ?? (status >= 500 ? 'SERVER_FAILED' : null);
}

function mediaType(response: TransportResponse): string {
  return (response.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function badAnswer(response: TransportResponse, problem: string, cause?: unknown): SyncFault {
  const { status } = response;
  const contentType = mediaType(response).slice(0, 100);
  return new SyncFault('TRANSPORT_BAD_ANSWER', `the answer (status ${status}, ${contentType || 'no content type'}) does not count: ${problem}`, {
    details: { status, contentType },
    cause,
  });
}
