import { SyncFault } from '../../shared/fault.ts';
import type { EngineContext } from '../engine-context.ts';
import { Step } from '../store/step.ts';

/** Notes that the user has read a notice. @throws {@link SyncFault} `NOTICE_UNKNOWN` */
export async function acknowledgeNotice({ store, clock, emit }: EngineContext, id: number): Promise<void> {
  const notice = store.notices.get(id);
  if (notice === undefined) throw new SyncFault('NOTICE_UNKNOWN', `there is no notice ${id}`, { details: { notice: id } });
  if (notice.acknowledgedAt !== null) return;
  const step = new Step();
  step.notices.set(id, { ...notice, acknowledgedAt: clock.now() });
  await store.commit(step, 'strict');
  emit({ type: 'notice:acknowledged', notice: id });
}
