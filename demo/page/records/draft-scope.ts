import type { DraftInfo, DraftRecord } from '../../../src/client/drafts/draft.ts';
import { createSerial } from '../../../src/shared/serial.ts';
import type { ObjectName } from '../../schema.ts';
import { fieldOf, type Values } from '../crm/object-face.ts';
import { describeProblem, type FormProblem } from './form-problem.ts';
import { toValue, type RawValue } from './raw-value.ts';
import type { DeviceRecords } from './record-source.ts';

/** Names a record inside a form: the header is there before it has an id. */
export interface FormRecord {
  readonly object: ObjectName;
  readonly id: string | null;
}

/** A record in a form, and what keeps one of its fields from being saved. */
export interface PlacedProblem extends FormProblem {
  readonly record: FormRecord;
}

/** The draft behind a form: opened with the first edit, written to with every one, so that a kill takes nothing that was typed. */
export interface DraftScope {
  /** `null` before the first edit. */
  readonly draft: DraftInfo | null;
  /** Every record of the group as the draft has it; `null` without one. */
  readonly records: readonly DraftRecord[] | null;
  /** Hands an edit over; edits are written one after another, the newest value of a field only. */
  put(record: FormRecord, field: string, raw: RawValue): void;
  /** Adds a record that names the header in one of its fields. */
  add(object: ObjectName, field: string, values: Values): Promise<void>;
  remove(object: ObjectName, id: string): Promise<void>;
  /** Saves it, and answers the queue entries; `null` while a value is in it that the draft did not take. */
  save(): Promise<readonly number[] | null>;
  discard(): Promise<void>;
  close(): void;
}

export interface DraftScopeOptions {
  readonly device: DeviceRecords;
  readonly header: FormRecord;
  /** Values a new record begins with. */
  readonly presets: Values;
  /** The draft is there; of a new record, its id is known now. */
  readonly onOpen: (draft: DraftInfo) => void;
  readonly onProblem: (problem: PlacedProblem) => void;
  readonly onChange: () => void;
}

interface Unwritten extends FormRecord {
  readonly field: string;
  readonly raw: RawValue;
}

export function createDraftScope({ device, header, presets, onOpen, onProblem, onChange }: DraftScopeOptions): DraftScope {
  const steps = createSerial();
  const unwritten = new Map<string, Unwritten>();
  const untaken = new Set<string>();
  let headerId = header.id;
  let draft: DraftInfo | null = null;
  let records: readonly DraftRecord[] | null = null;

  // A draft of an earlier run, or one that was ended elsewhere on this device.
  const stop = device.watchDrafts((drafts) => {
    const own = drafts.find(({ object, recordId }) => object === header.object && recordId === headerId) ?? null;
    if (own === null && draft !== null && headerId !== null) forget();
    else if (own !== null && own.id !== draft?.id) void steps.run(() => adopt(own)).catch(() => {});
    if (unwritten.size > 0) void steps.run(write);
  });

  async function adopt(found: DraftInfo): Promise<void> {
    if (draft?.id === found.id) return;
    records = await device.readDraft(found.id);
    draft = found;
    onOpen(found);
    onChange();
  }

  async function open(): Promise<DraftInfo> {
    if (draft !== null) return draft;
    const opened = await device.openDraft(header.object, headerId);
    if (headerId === null && Object.keys(presets).length > 0) {
      await device.changeDraft(opened.id, { op: 'update', object: header.object, id: opened.recordId, values: presets });
    }
    headerId = opened.recordId;
    await adopt(opened);
    return opened;
  }

  async function write(): Promise<void> {
    for (const [key, edit] of [...unwritten]) {
      const { object, id, field, raw } = edit;
      try {
        const { id: opened } = await open();
        await device.changeDraft(opened, { op: 'update', object, id: id ?? headerId!, values: { [field]: toValue(fieldOf(object, field)!, raw) } });
        untaken.delete(key);
        if (unwritten.get(key) === edit) unwritten.delete(key);
      } catch (thrown) {
        const problem = describeProblem(thrown);
        // What is no value of the field stays in the form alone; anything else is tried again with the next edit.
        if (problem.field !== null) {
          untaken.add(key);
          if (unwritten.get(key) === edit) unwritten.delete(key);
        }
        onProblem({ ...problem, record: { object, id } });
      }
    }
    if (draft !== null) records = await device.readDraft(draft.id);
    onChange();
  }

  function forget(): void {
    [draft, records] = [null, null];
    unwritten.clear();
    untaken.clear();
    onChange();
  }

  const change = (act: (id: string) => Promise<unknown>): Promise<void> =>
    steps.run(async () => {
      const { id } = await open();
      await act(id);
      records = await device.readDraft(id);
      onChange();
    });

  return {
    get draft() {
      return draft;
    },
    get records() {
      return records;
    },
    put({ object, id }, field, raw) {
      unwritten.set(`${id ?? ''} ${field}`, { object, id, field, raw });
      void steps.run(write).catch(() => {});
    },
    add: (object, field, values) => change((id) => device.changeDraft(id, { op: 'create', object, values: { ...values, [field]: headerId } })),
    remove: (object, id) =>
      change(async (opened) => {
        for (const keys of [unwritten, untaken]) for (const key of [...keys.keys()]) if (key.startsWith(`${id} `)) keys.delete(key);
        await device.changeDraft(opened, { op: 'remove', object, id });
      }),
    save: () =>
      steps.run(async () => {
        // What could not be written before is tried once more; why it cannot be stands in the form then.
        if (unwritten.size > 0) await write();
        if (unwritten.size + untaken.size > 0) return null;
        const { id } = await open();
        const entries = await device.saveDraft(id);
        // What is typed while it is saved goes into the next draft.
        [draft, records] = [null, null];
        onChange();
        return entries;
      }),
    discard: () =>
      steps.run(async () => {
        if (draft !== null) await device.discardDraft(draft.id);
        forget();
      }),
    close: stop,
  };
}
