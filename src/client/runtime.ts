import type { FaultShape } from '../shared/fault.ts';

/**
 * Where the engine runs: a worker from the host's own factory, a module worker of the package, a worker from the source that the
 * package carries as text, or the thread of the caller.
 */
export type RuntimeKind = 'host-worker' | 'module-worker' | 'blob-worker' | 'in-place';

/** A place that was tried before, and why it did not do. */
export interface SkippedRuntime {
  readonly kind: RuntimeKind;
  readonly reason: string;
}

/** Where the engine runs, and what was tried first. */
export interface RuntimeReport {
  readonly kind: RuntimeKind;
  readonly skipped: readonly SkippedRuntime[];
}

/** What happened to the place where the engine runs. */
export type RuntimeEvent =
  | { readonly type: 'runtime:started'; readonly kind: RuntimeKind; readonly skipped: readonly SkippedRuntime[] }
  /** The worker died. Every call fails with `WORKER_FAILED` from then on; what was saved is on disk and goes on with the next start. */
  | { readonly type: 'runtime:failed'; readonly fault: FaultShape };
