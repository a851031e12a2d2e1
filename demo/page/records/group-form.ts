import type { SyncError } from '../../../src/client/inbox/sync-error.ts';
import type { NewerVersion } from '../../../src/client/handles/handle.ts';
import type { RecordRef } from '../../../src/client/queue/outcomes.ts';
import type { FieldValue } from '../../../src/schema.ts';
import type { Unsubscribe } from '../../../src/shared/emitter.ts';
import type { ObjectName } from '../../schema.ts';
import { lineKindsOf, submittedAs, type LineKind } from '../crm/groups.ts';
import { FACES, fieldOf, type Values } from '../crm/object-face.ts';
import { createDraftScope, type DraftScope, type FormRecord } from './draft-scope.ts';
import { describeProblem, type FormProblem } from './form-problem.ts';
import { toRaw, toValue, type RawValue } from './raw-value.ts';
import type { GroupPart, LineForm, LineList } from './group-part.ts';
import type { FieldHost, RecordForm } from './record-form.ts';
import type { DeviceRecords, OpenedRecord, RecordSource, ShownRecord, SyncMark } from './record-source.ts';

export interface GroupFormOptions {
  readonly source: RecordSource;
  readonly device: DeviceRecords;
  readonly object: ObjectName;
  readonly id: string | null;
  readonly presets: Values;
  readonly fixing: SyncError | null;
  readonly onChange: () => void;
}

const MOST_LINES = 50;
const MARKS: readonly SyncMark[] = ['synced', 'waiting', 'sending', 'error'];

/** The form of a header and its lines on a device: every edit goes into a draft, which is saved as one transaction. */
export function createGroupForm({ source, device, object, id: firstId, presets, fixing, onChange }: GroupFormOptions): RecordForm {
  let id = firstId;
  let wasThere = false;
  let live: ShownRecord | null = null;
  let liveLines: ReadonlyMap<ObjectName, readonly ShownRecord[]> = new Map();
  let isLoading = firstId !== null;
  let isSaving = false;
  let hasJustSaved = false;
  let problem: FormProblem | null = null;
  /** What inputs show while they are typed in, by record and field. */
  let typed: ReadonlyMap<string, RawValue> = new Map();
  let problems: ReadonlyMap<string, string> = new Map();
  const kinds = lineKindsOf(object);
  const stops: Unsubscribe[] = [];
  let opened: OpenedRecord | null = null;
  let newer: NewerVersion | null = null;

  const scope: DraftScope = createDraftScope({
    device,
    header: { object, id: firstId },
    presets,
    onOpen({ recordId }) {
      if (id !== null) return;
      id = recordId;
      watch(recordId);
    },
    onProblem({ record, field, message }) {
      if (field === null) problem = { field, object: null, message, isChangedElsewhere: false };
      else problems = new Map([...problems, [keyOf(record, field), message]]);
    },
    onChange,
  });
  if (fixing !== null) scope.close();

  function watch(recordId: string): void {
    opened = source.openRecord(object, recordId, (shown) => {
      [live, newer, isLoading] = [shown.record, shown.newer, false];
      wasThere ||= live !== null;
      onChange();
    });
    stops.push(opened.close);
    for (const kind of kinds) {
      stops.push(source.watchQuery({ object: kind.object, where: { [kind.field]: recordId }, limit: MOST_LINES }, (rows) => {
        liveLines = new Map([...liveLines, [kind.object, rows]]);
        onChange();
      }));
    }
  }

  /** Also one that a draft of before creates. */
  const isNew = (): boolean => !wasThere && !isLoading && (firstId === null || scope.draft !== null);
  const header = (): FormRecord => ({ object, id: isNew() ? null : id });
  const keyOf = (record: FormRecord, field: string): string => `${record.id === id ? '' : (record.id ?? '')} ${field}`;
  const drafted = (recordId: string | null): Values | null => (scope.records?.find((record) => record.id === recordId)?.values as Values | undefined) ?? null;
  const valuesNow = (): Values => drafted(id) ?? live?.values ?? (isNew() ? presets : {});
  const isRefused = (recordId: string): boolean => fixing === null || fixing.members.some((member) => member.recordId === recordId && member.op !== 'remove');

  function edit(record: FormRecord, field: string, raw: RawValue): void {
    const key = keyOf(record, field);
    typed = new Map([...typed, [key, raw]]);
    problems = new Map([...problems].filter(([other]) => other !== key));
    [problem, hasJustSaved] = [null, false];
    if (fixing === null) scope.put(record, field, raw);
    onChange();
  }

  function hostOf(record: FormRecord, values: () => Values, inputKey: string): FieldHost {
    return {
      object: record.object,
      inputKey,
      rawOf: (field) => typed.get(keyOf(record, field)) ?? toRaw(fieldOf(record.object, field)!, values()[field]),
      // News waits until the draft has ended, so nothing changes under the form.
      changedMeanwhile: () => undefined,
      problemOf: (field) => problems.get(keyOf(record, field)) ?? null,
      edit: (field, raw) => edit(record, field, raw),
    };
  }

  function listOf(kind: LineKind): LineList {
    const marks = new Map((liveLines.get(kind.object) ?? []).map((row) => [row.id, row.mark]));
    const rows = scope.records === null
      ? (liveLines.get(kind.object) ?? []).map(({ id: lineId, values }) => ({ id: lineId, values }))
      : scope.records.flatMap((record) => (record.object === kind.object && record.values !== null ? [{ id: record.id, values: record.values as Values }] : []));
    // Drafts put what was changed first; ids grow with time, so lines keep their places.
    const lines = [...rows].sort((left, right) => (left.id < right.id ? -1 : 1)).map(({ id: lineId, values }): LineForm => ({
      ...hostOf({ object: kind.object, id: lineId }, () => values, `${kind.object}-${lineId}`),
      id: lineId,
      values,
      mark: marks.get(lineId) ?? null,
      amount: scope.records === null ? (values.amount ?? null) : null,
      isOpen: isRefused(lineId),
      remove: () => void attempt(() => scope.remove(kind.object, lineId)),
    }));
    return { ...kind, lines };
  }

  /** What the whole group is: one line that waits makes it wait. */
  function markOf(shown: ShownRecord): SyncMark {
    const marks = [shown.mark, ...[...liveLines.values()].flat().map(({ mark }) => mark)];
    return MARKS.findLast((mark) => marks.includes(mark)) ?? 'synced';
  }

  async function attempt(step: () => Promise<unknown>): Promise<boolean> {
    [isSaving, problem] = [true, null];
    onChange();
    try {
      await step();
      return true;
    } catch (thrown) {
      place(describeProblem(thrown));
      return false;
    } finally {
      isSaving = false;
      onChange();
    }
  }

  async function discard(): Promise<void> {
    await scope.discard();
    [typed, problems] = [new Map(), new Map()];
    onChange();
  }

  /** Shows what the server made of the person's own save, such as the total of changed lines, unless they edit again already. */
  async function showAnswer(entries: readonly number[]): Promise<void> {
    const shownIn = opened;
    const isUntouched = (): boolean => opened === shownIn && scope.draft === null && typed.size === 0;
    if ((await device.areSaved(entries)) && isUntouched()) await opened?.showNewest();
  }

  function letGo(): void {
    for (const stop of stops.splice(0)) stop();
    opened = null;
  }

  /** Puts a problem beside its field: of the lines, beside the first in which the field is empty. */
  function place(found: FormProblem): void {
    const line = kinds.filter((kind) => kind.object === found.object).flatMap((kind) => listOf(kind).lines).find(({ values }) => (values[found.field ?? ''] ?? null) === null);
    const record = line ?? (found.object === object ? header() : null);
    if (record === null || found.field === null) problem = { ...found, field: null };
    else problems = new Map([...problems, [keyOf(record, found.field), found.message]]);
  }

  /** The typed values of each refused record; those that were not touched go as they were. */
  function fixes(): readonly { readonly object: string; readonly id: string; readonly values: Record<string, FieldValue> }[] {
    return fixing!.members.filter(({ op }) => op !== 'remove').map((member) => {
      const record = { object: member.object as ObjectName, id: member.recordId };
      const fields = FACES[record.object].fields.filter((field) => typed.has(keyOf(record, field)));
      return { ...record, values: Object.fromEntries(fields.map((field) => [field, toValue(fieldOf(record.object, field)!, typed.get(keyOf(record, field))!)])) };
    });
  }

  const group: GroupPart = {
    fixing,
    get lists() {
      return kinds.map(listOf);
    },
    get draftOpenedAt() {
      return scope.draft?.openedAt ?? null;
    },
    get submittedAs() {
      return live === null || fixing !== null ? null : submittedAs(object, live.values);
    },
    get isHeaderOpen() {
      return isNew() || id === null || isRefused(id);
    },
    addLine: (kind) => void attempt(() => scope.add(kind.object, kind.field, fieldOf(kind.object, 'quantity') === undefined ? {} : { quantity: 1 })),
    async discard() {
      await attempt(discard);
    },
    async copyToNew() {
      let copy: RecordRef | null = null;
      await attempt(async () => {
        const lines = kinds.map(listOf).flatMap((list) => list.lines.map(({ values }) => ({ object: list.object, values })));
        copy = await device.copyToDraft(object, valuesNow(), lines);
        await discard();
      });
      return copy;
    },
  };

  if (id !== null) watch(id);
  return {
    ...hostOf({ object, id: firstId }, valuesNow, object),
    group,
    related: [],
    get id() {
      return isNew() ? null : id;
    },
    get record() {
      if (live !== null) return { ...live, values: { ...live.values, ...drafted(id) }, mark: markOf(live) };
      return id !== null && scope.records !== null ? { object, id, values: valuesNow(), mark: null } : null;
    },
    get newer() {
      return newer;
    },
    get isLoading() {
      return isLoading;
    },
    get isGone() {
      return id !== null && !isNew() && !isLoading && live === null && scope.draft === null;
    },
    get isDirty() {
      return isNew() || fixing !== null || scope.draft !== null || typed.size > 0;
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
    valueOf: (field) => valuesNow()[field] ?? null,
    async save() {
      if (isSaving) return;
      let entries: readonly number[] | null = null;
      const showsAll = newer === null;
      await attempt(async () => {
        if (fixing === null) entries = await scope.save();
        else await device.fix(fixing.id, fixes()).then(() => (entries = []));
      });
      if (entries === null) return;
      [typed, problems, hasJustSaved] = [new Map(), new Map(), true];
      onChange();
      if (showsAll) void showAnswer(entries).catch(() => {}); // the newer version stays a press away
    },
    remove: () =>
      attempt(async () => {
        await scope.discard();
        if (live !== null) await opened?.remove();
      }),
    async showNewest() {
      await attempt(async () => {
        await discard();
        await opened?.showNewest();
      });
    },
    entries: valuesNow,
    cover(isCovered) {
      if (isCovered && scope.draft === null && typed.size === 0) letGo();
      else if (!isCovered && opened === null && id !== null) watch(id);
    },
    close() {
      scope.close();
      letGo();
    },
  };
}
