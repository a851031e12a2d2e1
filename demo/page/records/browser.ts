import type { ObjectName } from '../../schema.ts';
import { FACES, type Values } from '../crm/object-face.ts';
import { createRecordForm, type RecordForm } from './record-form.ts';
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
  startNew(object: ObjectName, presets?: Values): void;
  back(): void;
  showTab(object: ObjectName): void;
  /** What an empty list says when there is more to say than that it is empty. */
  emptyNote(): string | null;
  /** Options of a reference field, sorted by title. */
  listTargets(form: RecordForm, target: ObjectName): readonly TargetOption[];
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
  let forms: readonly RecordForm[] = [];

  function push(object: ObjectName, id: string | null, presets: Values = {}): void {
    forgetTargets();
    forms = [...forms, createRecordForm({ source, object, id, presets, onChange })];
    onChange();
  }

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
    open: push,
    startNew: (object, presets) => push(object, null, presets),
    back() {
      forms.at(-1)?.close();
      forgetTargets();
      forms = forms.slice(0, -1);
      onChange();
    },
    showTab(object) {
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
