import type { FieldValue } from '../../../src/schema.ts';
import type { FieldDefinition } from '../crm/object-face.ts';

/** What an input holds while a person types: text as it stands, a tick, or a set of ticks. */
export type RawValue = string | boolean | readonly string[];

/** What an input shows for a field's value. */
export function toRaw({ type }: FieldDefinition, value: FieldValue | undefined): RawValue {
  if (type === 'boolean') return value === true;
  if (type === 'multiPicklist') return Array.isArray(value) ? value.map(String) : [];
  if (value === null || value === undefined) return '';
  return type === 'dateTime' ? toLocalInput(String(value)) : String(value);
}

/**
 * What a field gets from an input. Text that is no number goes through as it is: the SDK refuses it at the save, in words that name
 * the field.
 */
export function toValue({ type }: FieldDefinition, raw: RawValue): FieldValue {
  if (typeof raw !== 'string') return raw;
  const text = raw.trim();
  if (text === '') return null;
  if (type === 'integer' || type === 'number') return Number.isFinite(Number(text)) ? Number(text) : text;
  if (type === 'dateTime') return new Date(text).toISOString();
  return type === 'text' ? raw : text;
}

function toLocalInput(instant: string): string {
  const time = new Date(instant);
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return Number.isNaN(time.getTime()) ? '' : local.toISOString().slice(0, 16);
}
