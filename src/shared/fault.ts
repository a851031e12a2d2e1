/** The codes that a server of ours states in its answers. */
export const SERVER_FAULT_CODES = [
  'PROTOCOL_MALFORMED',
  'PROTOCOL_VERSION_UNSUPPORTED',
  'PROTOCOL_TOO_LARGE',
  'PROTOCOL_NOT_FOUND',
  'PROTOCOL_CURSOR_INVALID',
  'SERVER_FAILED',
  'SERVER_BUSY',
  'DEVICE_REVOKED',
] as const;

const DEVICE_FAULT_CODES = [
  'SCHEMA_INVALID',
  'OBJECT_UNKNOWN',
  'FIELD_UNKNOWN',
  'FIELD_SERVER_OWNED',
  'FIELD_REQUIRED',
  'VALUE_INVALID',
  'ID_INVALID',
  'QUERY_INVALID',
  'OPTION_INVALID',
  'RECORD_EXISTS',
  'RECORD_MISSING',
  'RECORD_LOCKED',
  'RECORD_CHANGED_ELSEWHERE',
  'HANDLE_CLOSED',
  'GROUP_MIXED',
  'CHANGE_TOO_LARGE',
  'DRAFT_UNKNOWN',
  'NOTICE_UNKNOWN',
  'SIGN_OUT_UNSENT',
  'SYNC_ERROR_UNKNOWN',
  'SYNC_ERROR_ACTION_UNAVAILABLE',
  'CLIENT_CLOSED',
  'CLIENT_TAKEN_OVER',
  'TAB_LEADER_LOST',
  'CLIENT_READ_ONLY',
  'CLIENT_BUSY',
  'DOWNLOAD_FAILED',
  'STORAGE_FULL',
  'STORAGE_FAILED',
  'STORAGE_CLOSED',
  'STORAGE_LOCKED',
  'STORAGE_CORRUPT',
  'TRANSPORT_UNREACHABLE',
  'TRANSPORT_TIMEOUT',
  'TRANSPORT_ABORTED',
  'TRANSPORT_BAD_ANSWER',
  'TRANSPORT_TOO_LARGE',
  'TRANSPORT_BUSY',
  'AUTH_REQUIRED',
  'AUTH_REFUSED',
  'CORE_TRAPPED',
  'CORE_INPUT_INVALID',
  'WORKER_FAILED',
  'PART_UNAVAILABLE',
] as const;

/**
 * A stable name for what went wrong; switch on this, never on the message.
 *
 * @useDeclaredType
 */
export type FaultCode = (typeof SERVER_FAULT_CODES)[number] | (typeof DEVICE_FAULT_CODES)[number];

/**
 * Every code a {@link SyncFault} can carry. `docs/ERRORS.md` has a heading for each; a test compares the two lists. (Spread, it would be
 * kept in bundles that never look at it.)
 */
export const FAULT_CODES: readonly FaultCode[] = /* @__PURE__ */ ([] as FaultCode[]).concat(DEVICE_FAULT_CODES, SERVER_FAULT_CODES);

/** Plain facts that go with a fault: names, sizes, offsets. Never a token, never another user's values. */
export type FaultDetails = Readonly<Record<string, string | number | boolean | null>>;

/** What a fault looks like when it crosses a worker or a log. */
export interface FaultShape {
  /** What went wrong. */
  readonly code: FaultCode;
  /** A sentence for developers and logs; it may change with any release. */
  readonly message: string;
  /** Plain facts that go with the fault. */
  readonly details: FaultDetails;
  /** What lay beneath: another fault, or what the platform said as text. */
  readonly cause?: FaultShape | string;
}

/**
 * An exception that a program handles: bad input, a full disk, no network. A *sync error* is something else: data, a change that
 * the server refused and that waits for the user.
 */
export class SyncFault extends Error {
  /** What went wrong. */
  readonly code: FaultCode;
  /** Plain facts that go with it, such as the `field` of a `VALUE_INVALID`; empty where there are none. */
  readonly details: FaultDetails;

  constructor(code: FaultCode, message: string, options: { readonly details?: FaultDetails; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SyncFault';
    this.code = code;
    this.details = options.details ?? {};
  }

  /** The package's doors are bundled apart, and an app can have two copies of it: a fault of any of them is one. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === SyncFault ? value instanceof Error && value.name === 'SyncFault' : Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

/** Says whether a value is a {@link SyncFault}, optionally of one code. */
export function isFault(value: unknown, code?: FaultCode): value is SyncFault {
  return value instanceof SyncFault && (code === undefined || value.code === code);
}

/** Turns any thrown value into plain data that survives structured cloning. */
export function describeFault(thrown: unknown): FaultShape {
  if (thrown instanceof SyncFault) {
    const shape = { code: thrown.code, message: thrown.message, details: thrown.details };
    return thrown.cause === undefined ? shape : { ...shape, cause: describeCause(thrown.cause) };
  }
  return { code: 'WORKER_FAILED', message: thrown instanceof Error ? thrown.message : String(thrown), details: {} };
}

/** Rebuilds the fault on the other side of a worker. */
export function rebuildFault(shape: FaultShape): SyncFault {
  const cause = typeof shape.cause === 'object' ? rebuildFault(shape.cause) : shape.cause;
  return new SyncFault(shape.code, shape.message, { details: shape.details, cause });
}

function describeCause(cause: unknown): FaultShape | string {
  if (cause instanceof SyncFault) return describeFault(cause);
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
