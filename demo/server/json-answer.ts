import type { IncomingMessage, ServerResponse } from 'node:http';
import { isFault } from '../../src/shared/fault.ts';

/** A save that the back office's own rules refused. */
export class OfficeRefusal extends Error {
  readonly field: string | null;

  constructor(message: string, field: string | null) {
    super(message);
    this.name = 'OfficeRefusal';
    this.field = field;
  }
}

const MOST_BYTES = 1_000_000;

/** Reads a JSON object from a request. */
export async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > MOST_BYTES) throw new OfficeRefusal('That is too much for one request.', null);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  } catch {
    // said below
  }
  throw new OfficeRefusal('The body is no JSON object.', null);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(body);
}

/** Answers with what went wrong, in words for the person at the form. */
export function sendFault(response: ServerResponse, thrown: unknown): void {
  if (thrown instanceof OfficeRefusal) return sendJson(response, 409, { error: { message: thrown.message, field: thrown.field } });
  if (isFault(thrown)) {
    const field = typeof thrown.details.field === 'string' ? thrown.details.field : null;
    return sendJson(response, thrown.code === 'SERVER_FAILED' ? 500 : 400, { error: { message: thrown.message, field } });
  }
  console.error(thrown);
  sendJson(response, 500, { error: { message: 'The server could not do it.', field: null } });
}
