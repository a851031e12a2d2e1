import { HEADERS } from '../protocol/messages.ts';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from '../protocol/version.ts';
import { SyncFault } from '../shared/fault.ts';
import type { SyncRequest } from './sync-request.ts';

/** What a request says of the device it comes from; its answer echoes it. */
export interface RequestEcho {
  readonly store: string;
  readonly attempt: string;
}

// Visible ASCII, so that both can be echoed in headers.
const ECHO = /^[\x21-\x7e]{1,128}$/;

/** Checks what an answer is to echo. @throws SyncFault `PROTOCOL_MALFORMED` */
export function assertEcho({ store, attempt }: RequestEcho): void {
  if (!ECHO.test(store)) throw new SyncFault('PROTOCOL_MALFORMED', 'the store is not 1 to 128 visible characters');
  if (!ECHO.test(attempt)) throw new SyncFault('PROTOCOL_MALFORMED', 'the attempt is not 1 to 128 visible characters');
}

/** Reads the headers of a request without body. @throws SyncFault `PROTOCOL_MALFORMED`, `PROTOCOL_VERSION_UNSUPPORTED` */
export function readEcho({ headers }: SyncRequest): RequestEcho {
  const protocol = headers[HEADERS.protocol] ?? '';
  if (!/^\d{1,9}$/.test(protocol)) throw new SyncFault('PROTOCOL_MALFORMED', `header ${HEADERS.protocol} is missing`);
  if (Number(protocol) < OLDEST_PROTOCOL_VERSION || Number(protocol) > PROTOCOL_VERSION) {
    throw new SyncFault('PROTOCOL_VERSION_UNSUPPORTED', `protocol ${protocol} is not spoken here; ${OLDEST_PROTOCOL_VERSION} to ${PROTOCOL_VERSION} are`);
  }
  const echo = { store: headers[HEADERS.store] ?? '', attempt: headers[HEADERS.attempt] ?? '' };
  assertEcho(echo);
  return echo;
}

/** Reads `limit` from a query: at most, and by default, `most`. @throws SyncFault `PROTOCOL_MALFORMED` */
export function readLimit({ query }: SyncRequest, most: number): number {
  const { limit } = query;
  if (limit === undefined) return most;
  if (!/^\d{1,9}$/.test(limit) || Number(limit) === 0) throw new SyncFault('PROTOCOL_MALFORMED', 'limit is not a whole number from 1 up');
  return Math.min(Number(limit), most);
}
