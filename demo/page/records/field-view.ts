import type { ObjectName } from '../../schema.ts';
import { describeValue, fieldOf, labelOf, type FieldDefinition } from '../crm/object-face.ts';
import { classes, h, type View } from '../render/view.ts';
import type { Browser } from './browser.ts';
import type { RawValue } from './raw-value.ts';
import type { FieldHost } from './record-form.ts';

export interface FieldViewOptions {
  readonly browser: Browser;
  readonly form: FieldHost;
  readonly field: string;
  /** Makes ids unique on a page with four forms. */
  readonly idPrefix: string;
}

/** The id of a field's input. */
export function fieldId(idPrefix: string, { inputKey }: FieldHost, field: string): string {
  return `${idPrefix}-${inputKey}-${field}`;
}

/** One labelled input, of the kind that the field's type asks for. */
export function fieldView({ browser, form, field, idPrefix }: FieldViewOptions): View {
  const definition = fieldOf(form.object, field)!;
  const id = fieldId(idPrefix, form, field);
  const problem = form.problemOf(field);
  const meanwhile = form.changedMeanwhile(field);
  const note = problem ?? (meanwhile === undefined ? null : `Changed elsewhere while you edit: now ${describeValue(form.object, field, meanwhile, browser.titles.titleOf)}.`);
  const input: InputOptions = { id, definition, raw: form.rawOf(field), edit: (raw) => form.edit(field, raw), noteId: note === null ? undefined : `${id}-note`, isInvalid: problem !== null };

  if (definition.type === 'multiPicklist') {
    return h('fieldset', { key: field, class: 'field field-wide' }, h('legend', {}, labelOf(field)), ticksView(input));
  }
  const isTick = definition.type === 'boolean';
  return h('div', { key: field, class: classes('field', isWide(definition) && 'field-wide', isTick && 'field-tick', note && 'field-noted') },
    h('label', { for: id }, labelOf(field), definition.required && h('span', { class: 'required', title: 'required' }, ' *')),
    definition.type === 'reference' ? referenceView(input, browser, form) : inputView(input),
    note !== null && h('p', { id: `${id}-note`, class: problem === null ? 'field-note' : 'field-note field-problem', role: problem === null ? null : 'alert' }, note),
  );
}

interface InputOptions {
  readonly id: string;
  readonly definition: FieldDefinition;
  readonly raw: RawValue;
  readonly edit: (raw: RawValue) => void;
  readonly noteId: string | undefined;
  readonly isInvalid: boolean;
}

function inputView({ id, definition, raw, edit, noteId, isInvalid }: InputOptions): View {
  const shared = { id, name: id, 'aria-describedby': noteId, 'aria-invalid': isInvalid ? 'true' : null, 'aria-required': definition.required ? 'true' : null };
  const onText = { input: (event: Event) => edit((event.target as HTMLInputElement).value) };
  switch (definition.type) {
    case 'boolean':
      return h('input', { ...shared, type: 'checkbox', checked: raw === true, on: { change: (event) => edit((event.target as HTMLInputElement).checked) } });
    case 'picklist':
      return selectView({ ...shared }, (definition.options ?? []).map((option) => ({ id: option, title: option })), String(raw), edit);
    case 'date':
      return h('input', { ...shared, type: 'date', value: String(raw), on: onText });
    case 'dateTime':
      return h('input', { ...shared, type: 'datetime-local', value: String(raw), on: onText });
    case 'integer':
      return h('input', { ...shared, type: 'text', inputmode: 'numeric', value: String(raw), autocomplete: 'off', on: onText });
    case 'decimal':
      return h('input', { ...shared, type: 'text', inputmode: 'decimal', value: String(raw), autocomplete: 'off', on: onText });
    default:
      if ((definition.max ?? 0) > 500) return h('textarea', { ...shared, rows: 3, value: String(raw), on: onText });
      return h('input', { ...shared, type: 'text', value: String(raw), autocomplete: 'off', on: onText });
  }
}

function referenceView({ id, definition, raw, edit, noteId, isInvalid }: InputOptions, browser: Browser, form: FieldHost): View {
  const target = definition.target as ObjectName;
  const options = browser.listTargets(form, target);
  // The record it points to stays choosable, whatever the list holds.
  const isMissing = raw !== '' && !options.some((option) => option.id === raw);
  const all = isMissing ? [{ id: String(raw), title: browser.titles.titleOf(target, String(raw)) || '…' }, ...options] : options;
  return selectView({ id, name: id, 'aria-describedby': noteId, 'aria-invalid': isInvalid ? 'true' : null }, all, String(raw), edit);
}

function selectView(
  attributes: Readonly<Record<string, string | null | undefined>>,
  options: readonly { readonly id: string; readonly title: string }[],
  value: string,
  edit: (raw: RawValue) => void,
): View {
  return h('select', { ...attributes, value, on: { change: (event) => edit((event.target as HTMLSelectElement).value) } },
    h('option', { key: '', value: '' }, '–'),
    options.map(({ id, title }) => h('option', { key: id, value: id }, title)),
  );
}

function ticksView({ id, definition, raw, edit }: InputOptions): View {
  const chosen = Array.isArray(raw) ? (raw as readonly string[]) : [];
  const toggle = (option: string): void => edit(chosen.includes(option) ? chosen.filter((other) => other !== option) : [...chosen, option]);
  return h('div', { class: 'ticks' }, (definition.options ?? []).map((option) =>
    h('label', { key: option, class: 'tick' },
      h('input', { type: 'checkbox', name: `${id}-${option}`, checked: chosen.includes(option), on: { change: () => toggle(option) } }),
      h('span', {}, option),
    )));
}

function isWide({ type, max }: FieldDefinition): boolean {
  return type === 'reference' || (type === 'text' && (max ?? 0) >= 100);
}
