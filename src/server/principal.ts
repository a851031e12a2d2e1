import type { Clock } from '../shared/clock.ts';
import { isFault, SyncFault } from '../shared/fault.ts';
import type { SyncRequest } from './sync-request.ts';
import { TimeLimitExceeded, withTimeLimit } from './time-limit.ts';

/** Who a request is from, as the host says. */
export interface Principal {
  /** Whose customer the user belongs to; `'default'` on servers that have only one. */
  readonly tenant: string;
  /** The user's name within the tenant, 1 to 255 characters. */
  readonly user: string;
  /** Whatever else `authenticate` returned. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What a host's `authenticate` returns: a user, and anything that its hooks want to know. */
export interface Identity {
  /** @defaultValue 'default' */
  readonly tenant?: string;
  /** The user, 1 to 255 characters; a name that is empty or holds U+0000 is refused with 401. */
  readonly user: string;
  readonly [claim: string]: unknown;
}

/**
 * Says who sent a request, from its headers. `null`, or a throw, refuses it with 401; throw a `SyncFault` `AUTH_REFUSED` to refuse it with
 * 403, or `SERVER_BUSY` when it cannot be decided now; so it is after ten seconds without an answer.
 */
export type Authenticate = (request: Pick<SyncRequest, 'method' | 'path' | 'headers'>) => Identity | null | Promise<Identity | null>;

/** The tenant of hosts that have only one. */
export const DEFAULT_TENANT = 'default';

/** Who asks holds a place among the requests under way: one service that hangs must not fill all of them for good. */
const MOST_MS = 10_000;

/** Asks the host who sent a request, and waits no longer than that by the clock. @throws SyncFault `AUTH_REQUIRED`, `AUTH_REFUSED`, `SERVER_BUSY` */
export async function identify(authenticate: Authenticate, request: SyncRequest, clock?: Clock): Promise<Principal> {
  const { method, path, headers } = request;
  const identity = await ask(() => authenticate({ method, path, headers }), clock);
  if (identity === null || typeof identity !== 'object') throw new SyncFault('AUTH_REQUIRED', 'sign in to sync');
  const { tenant = DEFAULT_TENANT, user, ...claims } = identity;
  if (!isName(tenant) || !isName(user)) throw new SyncFault('AUTH_REQUIRED', 'sign in to sync');
  return { tenant, user, claims };
}

async function ask(authenticate: () => Identity | null | Promise<Identity | null>, clock: Clock | undefined): Promise<Identity | null> {
  try {
    return clock === undefined ? await authenticate() : await withTimeLimit(clock, MOST_MS, authenticate);
  } catch (cause) {
    if (isFault(cause, 'AUTH_REFUSED') || isFault(cause, 'SERVER_BUSY')) throw cause;
    if (cause instanceof TimeLimitExceeded) throw new SyncFault('SERVER_BUSY', 'it could not be found out in time who asks; try again', { cause });
    throw new SyncFault('AUTH_REQUIRED', 'sign in to sync', { cause });
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 255 && !value.includes('\0');
}
