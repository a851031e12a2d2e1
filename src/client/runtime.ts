import type { FaultShape } from '../shared/fault.ts';

/**
 * Where the engine runs: a worker from the host's own factory, a module worker of the package, a worker from the source that the
 * package carries as text, or the thread of the caller.
 */
export type RuntimeKind = 'host-worker' | 'module-worker' | 'blob-worker' | 'in-place';

/** A place that was tried before, and why it did not do. */
export interface SkippedRuntime {
  /** The place. */
  readonly kind: RuntimeKind;
  /** A sentence for logs. */
  readonly reason: string;
}

/** Where the engine runs, and what was tried first. */
export interface RuntimeReport {
  /** Where the engine runs. */
  readonly kind: RuntimeKind;
  /** What was tried before it, in that order; empty where the first place did. */
  readonly skipped: readonly SkippedRuntime[];
}

/** What happened to the place where the engine runs. */
export type RuntimeEvent =
  | {
      /** The engine has a place to run; the store may still be opening. */
      readonly type: 'runtime:started';
      /** Where the engine runs. */
      readonly kind: RuntimeKind;
      /** What was tried before it. */
      readonly skipped: readonly SkippedRuntime[];
    }
  | {
      /** The worker died. Every call fails with `WORKER_FAILED` from then on; what was saved is on disk and goes on with the next start. */
      readonly type: 'runtime:failed';
      /** How it died, as far as the platform says. */
      readonly fault: FaultShape;
    };
