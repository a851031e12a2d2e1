import { labelOf } from '../crm/object-face.ts';

/** What keeps a form from being saved, in words. */
export interface FormProblem {
  /** `null` when it is not about one field. */
  readonly field: string | null;
  /** The object that the field is of, where the fault says so. */
  readonly object: string | null;
  readonly message: string;
}

export function describeProblem(thrown: unknown): FormProblem {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const { code, details } = thrown as { readonly code?: unknown; readonly details?: { readonly field?: unknown; readonly object?: unknown } };
  // A fault names the field alone, or its object before it.
  const field = typeof details?.field === 'string' ? details.field.slice(details.field.lastIndexOf('.') + 1) : null;
  const object = typeof details?.object === 'string' ? details.object : null;
  return { field, object, message: field !== null && code === 'FIELD_REQUIRED' ? `${labelOf(field)} is needed.` : message };
}
