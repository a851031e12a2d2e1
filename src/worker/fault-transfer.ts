import { transferHandlers, type TransferHandler } from 'comlink';
import { SyncFault, type FaultCode, type FaultDetails } from '../shared/fault.ts';

/** A thrown value as plain data. comlink's own handler keeps name and message only, and no cause. */
export type ThrownShape =
  | { readonly kind: 'fault'; readonly code: FaultCode; readonly details: FaultDetails } & ErrorShape
  | { readonly kind: 'error' } & ErrorShape
  | { readonly kind: 'value'; readonly value: string | number | boolean | null | undefined };

interface ErrorShape {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause?: ThrownShape;
}

/** comlink's mark around what was thrown; only its own handler can recognise it. */
type Thrown = Readonly<Record<'value', unknown>>;

/** Longest chain of causes that crosses; a chain can be a ring. */
const CAUSES = 8;

/**
 * Replaces comlink's handler for exceptions, so that a fault of one side is a fault on the other: code, message, details and the whole
 * chain of causes. Both sides install it; doing so again changes nothing.
 */
export function installFaultTransfer(): void {
  const handler = transferHandlers.get('throw')!;
  const faultHandler: TransferHandler<Thrown, ThrownShape> = {
    canHandle: (value): value is Thrown => handler.canHandle(value),
    serialize: ({ value }) => [describeThrown(value), []],
    deserialize(shape) {
      throw rebuildThrown(shape);
    },
  };
  transferHandlers.set('throw', faultHandler as TransferHandler<unknown, unknown>);
}

/** A thrown value as plain data, with its causes. */
export function describeThrown(thrown: unknown, causesLeft: number = CAUSES): ThrownShape {
  if (!(thrown instanceof Error)) return { kind: 'value', value: describeValue(thrown) };
  const { name, message, stack, cause } = thrown;
  const shape = { name, message, stack, ...(cause === undefined || causesLeft === 0 ? {} : { cause: describeThrown(cause, causesLeft - 1) }) };
  return thrown instanceof SyncFault ? { kind: 'fault', code: thrown.code, details: thrown.details, ...shape } : { kind: 'error', ...shape };
}

function describeValue(value: unknown): string | number | boolean | null | undefined {
  return value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value) ? (value as string) : String(value);
}

/** The thrown value again, on the other side. */
export function rebuildThrown(shape: ThrownShape): unknown {
  if (shape.kind === 'value') return shape.value;
  const cause = shape.cause === undefined ? {} : { cause: rebuildThrown(shape.cause) };
  const error =
    shape.kind === 'fault'
      ? new SyncFault(shape.code, shape.message, { details: shape.details, ...cause })
      : new Error(shape.message, cause);
  // Where it was thrown on the other side says more than where it arrived.
  if (shape.stack !== undefined) error.stack = shape.stack;
  error.name = shape.name;
  return error;
}
