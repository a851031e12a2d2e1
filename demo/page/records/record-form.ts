import type { FieldValue } from '../../../src/schema.ts';
import type { Unsubscribe } from '../../../src/shared/emitter.ts';
import type { ObjectName } from '../../schema.ts';
import { FACES, fieldOf, type Values } from '../crm/object-face.ts';
import { describeProblem, type FormProblem } from './form-problem.ts';
import type { GroupPart } from './group-form.ts';
import { toRaw, toValue, type RawValue } from './raw-value.ts';
import type { RecordSource, ShownRecord } from './record-source.ts';

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
  /** The record as it is now; it changes under the form when the feed merges. */
  readonly record: ShownRecord | null;
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

  const valueOf = (field: string): FieldValue => record?.values[field] ?? (id === null ? presets[field] : null) ?? null;

  function watch(recordId: string): void {
    stops.push(source.watchRecord(object, recordId, (now) => {
      [record, isLoading] = [now, false];
      onChange();
    }));
    for (const { object: child, field } of FACES[object].related) {
      stops.push(source.watchQuery({ object: child, where: { [field]: recordId }, limit: RELATED_LIMIT }, (rows) => {
        related = related.map((list) => (list.object === child ? { ...list, rows } : list));
        onChange();
      }));
    }
  }

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
      const typed = Object.fromEntries(Object.entries(draft).map(([field, raw]) => [field, toValue(fieldOf(object, field)!, raw)]));
      const isSaved = await attempt(async () => {
        if (id === null) {
          ({ id } = await source.create(object, { ...presets, ...typed }));
          watch(id);
        } else {
          await source.update(object, id, typed);
        }
      });
      if (!isSaved) return;
      [draft, seen, hasJustSaved] = [{}, {}, true];
      onChange();
    },
    remove: () => attempt(async () => (id === null ? undefined : source.remove(object, id))),
    close: () => {
      for (const stop of stops.splice(0)) stop();
    },
  };
}
