import type { ObjectName } from '../../schema.ts';
import { FACES, labelOf } from '../crm/object-face.ts';

/** What keeps a form from being saved, in words. */
export interface FormProblem {
  /** `null` when it is not about one field. */
  readonly field: string | null;
  /** The object that the field is of, where the fault says so. */
  readonly object: string | null;
  readonly message: string;
  /** What was done on another device does not allow the save; what was entered is still in the form. */
  readonly isChangedElsewhere: boolean;
}

export function describeProblem(thrown: unknown): FormProblem {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const { code, details } = thrown as { readonly code?: unknown; readonly details?: Readonly<Record<string, unknown>> };
  if (code === 'RECORD_CHANGED_ELSEWHERE') return { field: null, object: null, message: changedElsewhere(details ?? {}), isChangedElsewhere: true };
  // A fault names the field alone, or its object before it.
  const field = typeof details?.field === 'string' ? details.field.slice(details.field.lastIndexOf('.') + 1) : null;
  const object = typeof details?.object === 'string' ? details.object : null;
  return { field, object, message: field !== null && code === 'FIELD_REQUIRED' ? `${labelOf(field)} is needed.` : message, isChangedElsewhere: false };
}

const CHANGES: Readonly<Record<string, string>> = {
  submitted: 'was submitted on another device',
  deleted: 'was deleted on another device',
  hidden: 'is out of your sight now',
};

/** Rule A37 in words for the person at the form. */
function changedElsewhere({ newerObject, reason, guard }: Readonly<Record<string, unknown>>): string {
  const one = FACES[newerObject as ObjectName]?.one ?? 'record';
  const what = typeof guard === 'string' ? guard : `This ${one} ${CHANGES[String(reason)] ?? 'was changed on another device'}.`;
  return `${what} Nothing was saved; what you entered is still here.`;
}
