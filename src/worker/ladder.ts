import type { RuntimeKind, RuntimeReport, SkippedRuntime } from '../client/runtime.ts';
import { SyncFault } from '../shared/fault.ts';

/** One place where the engine could run. */
export interface Rung<Place> {
  readonly kind: RuntimeKind;
  /** Starts it; rejects, or throws, when it does not work here. */
  start(): Promise<Place>;
}

/**
 * Takes the first rung that starts. Bundlers differ in which workers they can ship, and pages in which they may start; none of that can
 * be known in advance, so each is tried.
 *
 * @throws SyncFault `WORKER_FAILED` when none starts.
 */
export async function climbDown<Place>(rungs: readonly Rung<Place>[]): Promise<{ readonly place: Place; readonly report: RuntimeReport }> {
  const skipped: SkippedRuntime[] = [];
  let last: unknown;
  for (const rung of rungs) {
    try {
      return { place: await rung.start(), report: { kind: rung.kind, skipped } };
    } catch (thrown) {
      last = thrown;
      skipped.push({ kind: rung.kind, reason: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }
  const tried = skipped.map(({ kind, reason }) => `${kind} (${reason})`).join(', ');
  throw new SyncFault('WORKER_FAILED', `the engine could not be started anywhere: ${tried}`, { cause: last });
}
