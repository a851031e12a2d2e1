import type { NewerVersion } from '../../../src/client/handles/handle.ts';
import { describeValue, FACES, labelOf } from '../crm/object-face.ts';
import { icon } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';
import type { Browser } from './browser.ts';
import { formatMoment } from '../crm/format.ts';
import { fieldView } from './field-view.ts';
import { hasDraft } from './group-part.ts';
import { linesView } from './lines-view.ts';
import { moveFocus } from './list-view.ts';
import { draftMark, markView } from './mark-view.ts';
import { reasonsView } from './reasons-view.ts';
import type { RecordForm, RelatedList } from './record-form.ts';

/** An open record: its form, what the server says of it, and the records that belong to it. */
export function recordView(browser: Browser, form: RecordForm, idPrefix: string): View {
  const { fields } = FACES[form.object];
  return h('div', { key: `record ${formKey(form)}`, class: 'browse record', on: { keydown: (event) => event.key === 'Escape' && leave(browser, event) } },
    headView(browser, form),
    newerView(form),
    form.isGone
      ? h('p', { class: 'empty' }, 'This record is not here any more.')
      : h('div', { class: 'record-body' },
        reasonsView(browser, form),
        groupNote(form),
        h('form', { class: 'form', novalidate: true, on: { submit: (event) => void submit(browser, form, event) } },
          h('fieldset', { class: 'fields', disabled: isLocked(form) || form.group?.isHeaderOpen === false },
            h('legend', { class: 'sr-only' }, FACES[form.object].one),
            fields.map((field) => fieldView({ browser, form, field, idPrefix }))),
          form.group?.lists.map((list) => linesView({ browser, group: form.group!, list, idPrefix })),
          refusedView(browser, form),
          isLocked(form) ? h('div', { class: 'form-actions' }, noteView(form)) : actionsView(browser, form),
        ),
        serverFieldsView(browser, form),
        form.id !== null && form.related.map((list) => relatedView(browser, form, list)),
      ),
  );
}

/** Stays the same when a new record is saved, so that the form keeps its place. */
const keys = new WeakMap<RecordForm, string>();
let lastKey = 0;
function formKey(form: RecordForm): string {
  if (!keys.has(form)) keys.set(form, String(++lastKey));
  return keys.get(form)!;
}

function headView(browser: Browser, form: RecordForm): View {
  const behind = browser.formBehind;
  const face = FACES[form.object];
  const title = form.record === null ? '' : face.title(form.record.values, browser.titles.titleOf);
  const backTo = behind === null ? FACES[browser.list.object].many : FACES[behind.object].one;
  return h('div', { class: 'record-head' },
    h('button', { type: 'button', class: 'icon-button', 'aria-label': `Back to ${backTo.toLowerCase()}`, title: 'Back (Esc)', on: { click: () => goBack(browser) } }, icon('back')),
    h('h3', { class: 'record-title', tabindex: -1, 'data-testid': 'record-title', onMount: (element) => element.focus({ preventScroll: true }) },
      form.id === null ? `New ${face.one}` : title || '…'),
    hasDraft(form) ? draftMark() : markView(form.record?.mark ?? null, { isLarge: true }),
  );
}

function isLocked({ group }: RecordForm): boolean {
  return group !== null && group.submittedAs !== null;
}

/** What is special about this form: closed, a draft, or a refused change that is put right. */
function groupNote({ object, group }: RecordForm): View | null {
  if (group === null) return null;
  const { one } = FACES[object];
  if (group.submittedAs !== null) {
    return h('p', { class: 'form-banner', 'data-testid': 'locked' }, icon('lock'), `${group.submittedAs}: this ${one} is read-only on devices. The back office can open it again.`);
  }
  if (group.fixing !== null) return h('p', { class: 'form-banner', 'data-testid': 'fixing' }, icon('alert'), 'Saving sends these values in place of the refused ones.');
  if (group.draftOpenedAt === null) return null;
  return h('p', { class: 'form-banner', 'data-testid': 'draft' }, icon('pencil'), `Draft of ${formatMoment(group.draftOpenedAt)}: safe on this device, and nothing of it is sent before you save.`);
}

const NEWER: Readonly<Record<NewerVersion, string>> = {
  changed: 'A newer version is available. Nothing changes under your eyes.',
  submitted: 'It was submitted on another device. Nothing changes under your eyes.',
  deleted: 'It was deleted on another device. It stays under your eyes until you leave.',
  hidden: 'It is out of your sight online. It stays under your eyes until you leave.',
};

/** What other devices made of the record meanwhile. */
function newerView(form: RecordForm): View | null {
  const { newer, problem } = form;
  // A refused save says it itself.
  if (newer === null || problem?.isChangedElsewhere === true) return null;
  return h('div', { key: 'newer', class: 'form-banner newer', 'data-testid': 'newer', 'data-newer': newer, role: 'status' },
    icon('bell'),
    h('div', {},
      h('p', {}, NEWER[newer], hasDraft(form) && (newer === 'changed' ? ' It shows when the draft was saved or discarded.' : ' What you entered can no longer be saved here.')),
      !hasDraft(form) && h('div', { class: 'problem-actions' }, showButton(form)),
    ),
  );
}

/** Why what other devices did does not allow what was entered, with the ways on; nothing of it is lost. */
function refusedView(browser: Browser, form: RecordForm): View | null {
  const { problem } = form;
  if (problem?.isChangedElsewhere !== true) return null;
  return h('div', { key: 'refused', class: 'form-banner newer newer-refused', 'data-testid': 'changed-elsewhere', role: 'alert', onMount: (element) => element.scrollIntoView({ block: 'nearest' }) },
    icon('alert'),
    h('div', {},
      h('p', {}, problem.message),
      h('div', { class: 'problem-actions' },
        showButton(form),
        h('button', { type: 'button', class: 'button small', title: `Begins a new ${FACES[form.object].one} with what you entered`, on: { click: () => void browser.copyEntries() } }, 'Copy my entries'),
      ),
    ),
  );
}

function showButton(form: RecordForm): View {
  return h('button', { type: 'button', class: 'button small', title: hasDraft(form) ? 'What you entered goes to the journal' : 'Show what is online', on: { click: () => void form.showNewest() } }, 'Show the new version');
}

function actionsView(browser: Browser, form: RecordForm): View {
  const { one } = FACES[form.object];
  return h('div', { class: 'form-actions' },
    h('button', { type: 'submit', class: 'button primary', disabled: form.isSaving || !form.isDirty }, form.id === null ? `Create ${one}` : 'Save'),
    hasDraft(form) && h('button', { type: 'button', class: 'quiet', on: { click: () => void discard(browser, form) } }, 'Discard draft'),
    noteView(form),
    form.id !== null && !form.group?.fixing && h('button', {
      type: 'button',
      class: 'icon-button danger',
      'aria-label': `Delete this ${one}`,
      title: `Delete this ${one}`,
      on: { click: () => void form.remove().then((isDone) => isDone && goBack(browser)) },
    }, icon('trash')),
  );
}

function noteView(form: RecordForm): View {
  return h('p', { class: 'form-note', 'aria-live': 'polite' }, noteOf(form));
}

function noteOf(form: RecordForm): string {
  if (form.problem !== null && form.problem.field === null) return form.problem.isChangedElsewhere ? 'Not saved' : form.problem.message;
  if (form.isSaving) return 'Saving…';
  if (form.hasJustSaved && !form.isDirty) return form.record?.mark ? 'Saved on this device' : 'Saved';
  return '';
}

function serverFieldsView(browser: Browser, form: RecordForm): View | null {
  if (form.record === null) return null;
  const { values } = form.record;
  return h('dl', { class: 'server-fields', 'aria-label': 'Set by the server' }, FACES[form.object].serverFields.filter((field) => field !== 'duplicateOf' || values[field] !== null).map((field) =>
    h('div', { key: field },
      h('dt', {}, labelOf(field)),
      h('dd', {}, values[field] === null ? h('span', { class: 'muted' }, 'comes with the upload') : describeValue(form.object, field, values[field], browser.titles.titleOf)),
    )));
}

function relatedView(browser: Browser, form: RecordForm, { object, field, title, rows }: RelatedList): View {
  const face = FACES[object];
  const heading = `${browser.list.object}-${object}-related`;
  return h('section', { key: object, class: 'related', 'aria-label': title },
    h('div', { class: 'related-head' },
      h('h4', { id: heading }, title, h('span', { class: 'muted' }, ` ${rows.length}`)),
      h('button', { type: 'button', class: 'quiet small', 'aria-label': `Add ${face.one}`, on: { click: () => browser.startNew(object, presetsFor(form, field)) } }, icon('plus'), 'Add'),
    ),
    h('ul', { on: { keydown: moveFocus } }, rows.map((row, index) =>
      h('li', { key: row.id },
        h('button', { type: 'button', class: 'row row-small', 'data-row': row.id, tabindex: index === 0 ? 0 : -1, on: { click: () => browser.open(object, row.id) } },
          h('span', { class: 'row-text' },
            h('span', { class: 'row-title' }, face.title(row.values, browser.titles.titleOf) || '…'),
            h('span', { class: 'row-subtitle' }, face.subtitle(row.values, browser.titles.titleOf)),
          ),
          markView(row.mark)),
      ))),
  );
}

function presetsFor(form: RecordForm, field: string): Record<string, string> {
  const account = form.object === 'contact' ? form.valueOf('account') : null;
  return { [field]: form.id!, ...(typeof account === 'string' ? { account } : {}) };
}

/** Saves, and goes to the field that keeps it from being saved. */
async function submit(browser: Browser, form: RecordForm, event: Event): Promise<void> {
  event.preventDefault();
  if (!form.isDirty) return;
  const inputs = event.currentTarget as HTMLElement;
  await form.save();
  if (form.group?.fixing && form.hasJustSaved) return goBack(browser);
  // The painter marks it first.
  setTimeout(() => inputs.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}

async function discard(browser: Browser, form: RecordForm): Promise<void> {
  const isNew = form.id === null;
  await form.group?.discard();
  if (isNew && form.problem === null) goBack(browser);
}

function leave(browser: Browser, event: Event): void {
  event.stopPropagation();
  goBack(browser);
}

/** Goes back and puts the focus on the row that was opened. */
function goBack(browser: Browser): void {
  const id = browser.form?.id;
  const panel = document.activeElement?.closest('[data-panel]');
  browser.back();
  setTimeout(() => panel?.querySelector<HTMLElement>(`[data-row="${CSS.escape(id ?? browser.list.activeId ?? '')}"]`)?.focus());
}
