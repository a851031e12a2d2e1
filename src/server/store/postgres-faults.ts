import { isFault, SyncFault } from '../../shared/fault.ts';

/** Serialization failure and deadlock: the transaction failed only because of another one. */
const COLLISIONS: ReadonlySet<string> = new Set(['40001', '40P01']);

/** Two processes made the same table at once: "if not exists" looks first and makes after. XX000: "tuple concurrently updated". */
const CREATION_RACES: ReadonlySet<string> = new Set([...COLLISIONS, '23505', '42P07', '42710', 'XX000']);

const QUERY_CANCELED = '57014';

/** Says whether a transaction failed only because of another one. */
export function isCollision(thrown: unknown): boolean {
  return COLLISIONS.has(codeOf(thrown) ?? '');
}

/** Says whether tables could not be made only because another process was making them. */
export function isCreationRace(thrown: unknown): boolean {
  return isFault(thrown, 'STORAGE_FAILED') && CREATION_RACES.has(codeOf(thrown.cause) ?? '');
}

/** A connection that could not be had: the database does not answer, does not let us in, or every connection is in use. */
export function connectionFault(cause: unknown): SyncFault {
  if (isFault(cause)) return cause;
  if (codeOf(cause) === 'ERR_MODULE_NOT_FOUND') {
    return new SyncFault('STORAGE_FAILED', 'the package pg is not installed: npm install pg', { cause, details: { reason: 'pg-missing' } });
  }
  // The pool of pg has no code for it.
  if (cause instanceof Error && cause.message.startsWith('timeout exceeded')) {
    return new SyncFault('STORAGE_FAILED', 'no connection to the database was free in time', { cause, details: { reason: 'pool-exhausted' } });
  }
  return new SyncFault('STORAGE_FAILED', 'the database cannot be reached', { cause, details: { reason: 'unreachable', ...stateOf(cause) } });
}

/** A statement that failed. */
export function statementFault(cause: unknown, { statementTimeoutMs }: { readonly statementTimeoutMs: number }): SyncFault {
  if (codeOf(cause) === QUERY_CANCELED) {
    return new SyncFault('STORAGE_FAILED', `a statement was ended after ${statementTimeoutMs} ms`, { cause, details: { reason: 'statement-timeout', ...stateOf(cause) } });
  }
  return new SyncFault('STORAGE_FAILED', 'a statement failed', { cause, details: { reason: 'statement-failed', ...stateOf(cause) } });
}

/** PostgreSQL's own five characters for what went wrong, or the system's name for it: never a value of a record. */
function stateOf(cause: unknown): { readonly state?: string } {
  const state = codeOf(cause);
  return state === undefined ? {} : { state };
}

function codeOf(thrown: unknown): string | undefined {
  const { code } = (thrown ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
