import type { DraftInfo } from '../../../src/client/drafts/draft.ts';
import type { SyncError } from '../../../src/client/inbox/sync-error.ts';
import type { SyncReason } from '../../../src/client/inbox/explain.ts';
import type { ObjectName } from '../../schema.ts';
import { headerOf, isGrouped, isLine } from '../crm/groups.ts';
import { FACES, type Values } from '../crm/object-face.ts';
import { createGroupForm } from './group-form.ts';
import { createRecordForm, type FieldHost, type RecordForm } from './record-form.ts';
import { createRecordList, type RecordList } from './record-list.ts';
import type { RecordSource } from './record-source.ts';
import { createTitles, type Titles } from './titles.ts';

/** What one panel shows of the CRM: a list, and above it the records that were opened one from another. */
export interface Browser {
  readonly list: RecordList;
  readonly titles: Titles;
  /** The open record; `null` shows the list. */
  readonly form: RecordForm | null;
  /** The one that *back* goes to; `null` for the list. */
  readonly formBehind: RecordForm | null;
  open(object: ObjectName, id: string): void;
  /** Opens the form of a refused change, to send other values in its place. */
  openFix(error: SyncError): void;
  startNew(object: ObjectName, presets?: Values): void;
  /** Shows the newest version in the open form, unless somebody edits there. */
  showNewest(): Promise<void>;
  /** Puts a new record with what the open form holds in its place. */
  copyEntries(): Promise<void>;
  back(): void;
  showTab(object: ObjectName): void;
  /** What an empty list says when there is more to say than that it is empty. */
  emptyNote(): string | null;
  /** Whether a record has edits that are not saved. */
  isInDraft(object: ObjectName, id: string): boolean;
  /** Why the open record is not synced; `null` until somebody asks. Asked again whenever the device says that something changed. */
  readonly reasons: readonly SyncReason[] | null;
  askReasons(isAsked: boolean): void;
  readonly drafts: readonly DraftInfo[];
  refresh(): void;
  /** Options of a reference field, sorted by title. */
  listTargets(form: FieldHost, target: ObjectName): readonly TargetOption[];
}

export interface TargetOption {
  readonly id: string;
  readonly title: string;
}

interface TargetList {
  options: readonly TargetOption[];
  stop: () => void;
}

/** Most options of a reference field. */
const MOST_TARGETS = 1_000;

export function createBrowser(source: RecordSource, onChange: () => void, emptyNote: () => string | null = () => null): Browser {
  const titles = createTitles(source, onChange);
  const list = createRecordList(source, onChange);
  const targets = new Map<string, TargetList>();
  const { device } = source;
  let forms: readonly RecordForm[] = [];
  let drafts: readonly DraftInfo[] = [];
  let reasons: readonly SyncReason[] | null = null;

  device?.watchDrafts((now) => {
    drafts = now;
    onChange();
  });

  /** Opens a record, unless it is what is open already. */
  function openOnce({ object, id }: { readonly object: ObjectName; readonly id: string }): void {
    const form = forms.at(-1);
    if (form?.object !== object || form.id !== id) push(object, id);
    else onChange();
  }

  function push(object: ObjectName, id: string | null, presets: Values = {}, fixing: SyncError | null = null): void {
    forgetTargets();
    reasons = null;
    forms.at(-1)?.cover(true);
    const isInGroupForm = device !== null && (fixing !== null || isGrouped(object));
    forms = [...forms, isInGroupForm
      ? createGroupForm({ source, device, object, id, presets, fixing, onChange })
      : createRecordForm({ source, object, id, presets, onChange })];
    onChange();
  }

  /** On a device a line is part of its header's form. */
  async function findForm(object: ObjectName, id: string): Promise<{ readonly object: ObjectName; readonly id: string }> {
    if (device === null) return { object, id };
    const [record] = await source.query({ object, where: { id }, limit: 1 });
    return (record && headerOf(object, record.values)) ?? { object, id };
  }

  async function explainForm(form: RecordForm | undefined): Promise<void> {
    if (device === null || !form?.record || reasons === null) return;
    const records = [form.record, ...(form.group?.lists ?? []).flatMap(({ object, lines }) => lines.map(({ id }) => ({ object, id })))];
    const found = await Promise.all(records.map(({ object, id }) => device.explain(object, id)));
    if (form !== forms.at(-1) || reasons === null) return;
    // What holds one record of a group holds all of it.
    reasons = [...new Map(found.flat().map((reason) => [JSON.stringify(reason), reason])).values()];
    onChange();
  }

  const refresh = (): void => void explainForm(forms.at(-1)).catch(() => {}); // asked again at the next change

  function watchTargets(key: string, target: ObjectName, where: Values): void {
    const watched: TargetList = { options: [], stop: () => {} };
    targets.set(key, watched);
    watched.stop = source.watchQuery({ object: target, where, orderBy: FACES[target].orderBy, limit: MOST_TARGETS }, (records) => {
      watched.options = records.map(({ id, values }) => ({ id, title: FACES[target].title(values, titles.titleOf) }));
      onChange();
    });
  }

  function forgetTargets(): void {
    for (const { stop } of targets.values()) stop();
    targets.clear();
  }

  return {
    list,
    titles,
    emptyNote,
    get form() {
      return forms.at(-1) ?? null;
    },
    get formBehind() {
      return forms.at(-2) ?? null;
    },
    open(object, id) {
      if (!isLine(object)) return openOnce({ object, id });
      findForm(object, id).then(openOnce, () => openOnce({ object, id }));
    },
    openFix(error) {
      findForm(error.object as ObjectName, error.recordId).then(({ object, id }) => push(object, id, {}, error), () => {});
    },
    isInDraft: (object, id) => drafts.some((draft) => draft.object === object && draft.recordId === id),
    get drafts() {
      return drafts;
    },
    get reasons() {
      return reasons;
    },
    askReasons(isAsked) {
      reasons = isAsked ? [] : null;
      if (isAsked) refresh();
      onChange();
    },
    refresh,
    startNew: (object, presets) => push(object, null, presets),
    async showNewest() {
      const form = forms.at(-1);
      if (form?.record && !form.isDirty) await form.showNewest();
    },
    async copyEntries() {
      const form = forms.at(-1);
      if (form === undefined) return;
      const copy = form.group === null ? { object: form.object, id: null } : await form.group.copyToNew();
      if (copy === null || form !== forms.at(-1)) return;
      form.close();
      forms = forms.slice(0, -1);
      push(copy.object as ObjectName, copy.id, copy.id === null ? form.entries() : {});
    },
    back() {
      reasons = null;
      forms.at(-1)?.close();
      forgetTargets();
      forms = forms.slice(0, -1);
      forms.at(-1)?.cover(false);
      onChange();
    },
    showTab(object) {
      reasons = null;
      for (const form of forms) form.close();
      forms = [];
      forgetTargets();
      list.show(object);
    },
    listTargets(form, target) {
      // A call's contact is one of its account's.
      const account = target === 'contact' ? form.rawOf('account') : '';
      const where = typeof account === 'string' && account !== '' ? { account } : {};
      const key = `${target} ${String(account)}`;
      if (!targets.has(key)) watchTargets(key, target, where);
      return targets.get(key)!.options;
    },
  };
}
