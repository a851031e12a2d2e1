import type { DEVICE_FAULT_CODES, SERVER_FAULT_CODES } from './fault-codes.ts';

/**
 * A stable name for what went wrong; switch on this, never on the message.
 *
 * @useDeclaredType
 */
export type FaultCode = (typeof SERVER_FAULT_CODES)[number] | (typeof DEVICE_FAULT_CODES)[number];

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
