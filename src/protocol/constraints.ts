import type { Field, FieldValue } from './field.ts';

/**
 * Says in words what keeps a canonical value out of a field: `required`, `min`, `max`, picklist options. `null` when nothing does. Used
 * by the device before a save is queued, and by the server again before it is written.
 */
export function findViolation(field: Field, value: FieldValue): string | null {
  if (value === null) return field.required ? 'is required' : null;
  if (field.options !== undefined) {
    const chosen = Array.isArray(value) ? (value as readonly string[]) : [value as string];
    const unknown = chosen.find((option) => !field.options!.includes(option));
    if (unknown !== undefined) return `must be one of ${field.options.join(', ')}`;
  }
  if (typeof value === 'number') {
    if (field.min !== undefined && value < field.min) return `must be at least ${field.min}`;
    if (field.max !== undefined && value > field.max) return `must be at most ${field.max}`;
  }
  if (typeof value === 'string' && field.max !== undefined && value.length > field.max) return `must be at most ${field.max} characters long`;
  return null;
}
