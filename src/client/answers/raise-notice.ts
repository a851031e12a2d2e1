import type { RecordRef } from '../queue/outcomes.ts';
import type { ClientRules } from '../rules.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { Step } from '../store/step.ts';
import type { Notice, NoticeSubject } from './notices.ts';

/** Raises a notice in the step that makes it true; answers its number. */
export function raiseNotice(
  step: Step,
  store: LocalStore,
  rules: Pick<ClientRules, 'keepsNotice'>,
  about: RecordRef & { readonly entries: readonly number[]; readonly raisedAt: number },
  subject: NoticeSubject,
): number {
  const { object, id: recordId, entries, raisedAt } = about;
  const id = step.takeNote(store.meta);
  const notice: Notice = { id, object, recordId, entries, raisedAt, acknowledgedAt: null, ...subject };
  if (rules.keepsNotice(notice)) step.notices.set(id, notice);
  return id;
}
