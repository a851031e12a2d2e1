import type { FieldValue } from '../../../src/schema.ts';
import type { NewerVersion } from '../../../src/client/handles/handle.ts';
import type { Unsubscribe } from '../../../src/shared/emitter.ts';
import type { ObjectName } from '../../schema.ts';
import { FACES, fieldOf, type Values } from '../crm/object-face.ts';
import { describeProblem, type FormProblem } from './form-problem.ts';
import type { GroupPart } from './group-part.ts';
import { toRaw, toValue, type RawValue } from './raw-value.ts';
import type { OpenedRecord, RecordSource, ShownRecord } from './record-source.ts';

export interface RelatedList {
  readonly object: ObjectName;
  readonly field: string;
  readonly title: string;
  readonly rows: readonly ShownRecord[];
}

/** The fields of one record, as inputs see them. */
export interface FieldHost {
  readonly object: ObjectName;
  /** Tells its inputs from those of the other records in a form. */
  readonly inputKey: string;
  rawOf(field: string): RawValue;
  /** The value a field got from elsewhere while it was being edited here; `undefined` when it did not. */
  changedMeanwhile(field: string): FieldValue | undefined;
  /** What keeps a field from being saved. */
  problemOf(field: string): string | null;
  edit(field: string, raw: RawValue): void;
}

/** One open record, or one being made: what is typed lives here until it is saved. */
export interface RecordForm extends FieldHost {
  /** `null` until a new record is saved. */
  readonly id: string | null;
  /** The record as it is open: on a device nothing but the person's own saves changes it. */
  readonly record: ShownRecord | null;
  /** What other devices made of it meanwhile; `null` while the form shows all there is. */
  readonly newer: NewerVersion | null;
  readonly isLoading: boolean;
  readonly isGone: boolean;
  readonly isDirty: boolean;
  readonly isSaving: boolean;
  readonly problem: FormProblem | null;
  /** The last save, for the line that says so; cleared by the next edit. */
  readonly hasJustSaved: boolean;
  readonly related: readonly RelatedList[];
  /** The lines that are edited and saved with it; `null` for a record that is saved alone. */
  readonly group: GroupPart | null;
  valueOf(field: string): FieldValue;
  save(): Promise<void>;
  remove(): Promise<boolean>;
  /** Shows what other devices made of it. Edits of a draft go to the journal; what else was typed stays. */
  showNewest(): Promise<void>;
  /** What the form holds, as a new record could begin with it. */
  entries(): Values;
  /** Another form lies over this one, or no longer does: without edits, nothing is held open there. */
  cover(isCovered: boolean): void;
  close(): void;
}

export interface RecordFormOptions {
  readonly source: RecordSource;
  readonly object: ObjectName;
  readonly id: string | null;
  /** Values a new record begins with. */
  readonly presets?: Values;
  readonly onChange: () => void;
}

const RELATED_LIMIT = 50;

export function createRecordForm({ source, object, id: firstId, presets = {}, onChange }: RecordFormOptions): RecordForm {
  let id = firstId;
  let record: ShownRecord | null = null;
  let isLoading = id !== null;
  let isSaving = false;
  let hasJustSaved = false;
  let problem: FormProblem | null = null;
  let draft: Readonly<Record<string, RawValue>> = {};
  /** What each edited field held when its edit began. */
  let seen: Values = {};
  let related: readonly RelatedList[] = FACES[object].related.map((list) => ({ ...list, rows: [] }));
  const stops: Unsubscribe[] = [];
  let opened: OpenedRecord | null = null;
  let newer: NewerVersion | null = null;

  const valueOf = (field: string): FieldValue => record?.values[field] ?? (id === null ? presets[field] : null) ?? null;

  function watch(recordId: string): void {
    opened = source.openRecord(object, recordId, (shown) => {
      [record, newer, isLoading] = [shown.record, shown.newer, false];
      onChange();
    });
    stops.push(opened.close);
    for (const { object: child, field } of FACES[object].related) {
      stops.push(source.watchQuery({ object: child, where: { [field]: recordId }, limit: RELATED_LIMIT }, (rows) => {
        related = related.map((list) => (list.object === child ? { ...list, rows } : list));
        onChange();
      }));
    }
  }

  function close(): void {
    for (const stop of stops.splice(0)) stop();
    opened = null;
  }

  /** What was typed, as values. */
  const typedValues = (): Values => Object.fromEntries(Object.entries(draft).map(([field, raw]) => [field, toValue(fieldOf(object, field)!, raw)]));

  async function attempt(step: () => Promise<void>): Promise<boolean> {
    [isSaving, problem] = [true, null];
    onChange();
    try {
      await step();
      return true;
    } catch (thrown) {
      problem = describeProblem(thrown);
      return false;
    } finally {
      isSaving = false;
      onChange();
    }
  }

  if (id !== null) watch(id);
  return {
    object,
    inputKey: object,
    group: null,
    get id() {
      return id;
    },
    get record() {
      return record;
    },
    get newer() {
      return newer;
    },
    get isLoading() {
      return isLoading;
    },
    get isGone() {
      return id !== null && !isLoading && record === null;
    },
    get isDirty() {
      return id === null || Object.keys(draft).length > 0;
    },
    get isSaving() {
      return isSaving;
    },
    get problem() {
      return problem;
    },
    get hasJustSaved() {
      return hasJustSaved;
    },
    get related() {
      return related;
    },
    rawOf: (field) => draft[field] ?? toRaw(fieldOf(object, field)!, valueOf(field)),
    valueOf,
    problemOf: (field) => (problem?.field === field ? problem.message : null),
    changedMeanwhile(field) {
      if (!(field in draft)) return undefined;
      const now = valueOf(field);
      const isOther = now !== seen[field] && String(now ?? '') !== String(toValue(fieldOf(object, field)!, draft[field]!) ?? '');
      return isOther ? now : undefined;
    },
    edit(field, raw) {
      if (!(field in draft)) seen = { ...seen, [field]: valueOf(field) };
      draft = { ...draft, [field]: raw };
      hasJustSaved = false;
      if (problem?.field === field) problem = null;
      onChange();
    },
    async save() {
      if (isSaving) return;
      const typed = typedValues();
      const isSaved = await attempt(async () => {
        if (id === null) {
          ({ id } = await source.create(object, { ...presets, ...typed }));
          watch(id);
        } else {
          await opened?.update(typed);
        }
      });
      if (!isSaved) return;
      [draft, seen, hasJustSaved] = [{}, {}, true];
      onChange();
    },
    remove: () => attempt(async () => opened?.remove()),
    showNewest: async () => void (await attempt(async () => opened?.showNewest())),
    entries: () => ({ ...presets, ...record?.values, ...typedValues() }),
    cover(isCovered) {
      if (isCovered && Object.keys(draft).length === 0) close();
      else if (!isCovered && opened === null && id !== null) watch(id);
    },
    close,
  };
}
