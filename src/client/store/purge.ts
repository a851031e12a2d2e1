import { decodeEnvelope } from '../../protocol/envelope.ts';
import type { EngineContext } from '../engine-context.ts';
import { readJournalTime } from '../queue/read-journal.ts';
import { mustAcknowledge, type Notice } from '../answers/notices.ts';
import type { StoredOutcome } from '../queue/outcomes.ts';
import type { LocalStore } from './local-store.ts';
import { Step } from './step.ts';
import { STATE } from './stored.ts';

const DAY_MS = 24 * 3_600_000;
/** How long journal, outcomes and read notices are kept (rules A24, C11). */
const KEPT_MS = 30 * DAY_MS;

/**
 * Lets go of what is older than 30 days: now, and once a day until the returned function is called. Where that fails, it is told and
 * tried again a day later: nobody needs to be kept from what waits for the sake of what is old.
 */
export function startPurging(context: EngineContext, onFault: (thrown: unknown) => void): () => void {
  const { clock, steps } = context;
  let cancel = (): void => {};
  function start(): void {
    cancel = clock.setTimer(DAY_MS, start);
    steps.run(() => purge(context)).catch(onFault);
  }
  start();
  return () => cancel();
}

async function purge({ store, clock }: EngineContext): Promise<void> {
  const step = new Step();
  const isOld = (at: number): boolean => clock.now() - at > KEPT_MS;
  let { forgottenUpTo } = store.meta;
  for (const [prefix, timeOf] of [[STATE.journal, readJournalTime], [STATE.outcome, readOutcomeTime]] as const) {
    for await (const { key, bytes } of store.scanState(prefix)) {
      if (!isOld(timeOf(bytes, store))) continue;
      step.removeState.push(key);
      forgottenUpTo = Math.max(forgottenUpTo, Number(key.slice(prefix.length).split('/')[0]));
    }
  }
  for (const notice of store.notices.values()) {
    const since = keptSince(notice);
    if (since !== null && isOld(since)) step.notices.set(notice.id, null);
  }
  if (forgottenUpTo > store.meta.forgottenUpTo) step.meta = { forgottenUpTo };
  if (step.removeState.length + step.notices.size > 0) await store.commit(step, 'relaxed');
}

/** When an outcome was noted; `Infinity` while what it depends on is still in the queue. */
function readOutcomeTime(bytes: Uint8Array, store: LocalStore): number {
  const { at, outcome } = decodeEnvelope(bytes) as StoredOutcome;
  return typeof outcome === 'number' && store.entry(outcome) !== undefined ? Infinity : at;
}

/** Since when a notice is kept only for a while; `null` while the user has still to read it. */
function keptSince(notice: Notice): number | null {
  return mustAcknowledge(notice) ? null : (notice.acknowledgedAt ?? notice.raisedAt);
}
