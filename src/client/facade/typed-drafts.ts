import type { CreateInput, ObjectName, RecordOf, Schema, UpdateInput } from '../../protocol/schema.ts';
import type { Unsubscribe } from '../../shared/emitter.ts';
import { copyValues } from './copy-values.ts';
import type { DraftAnswers, DraftChange, DraftInfo, DraftReceipt, DraftRecord, DraftRequest } from '../drafts/draft.ts';
import type { SyncEngine } from '../engine.ts';
import type { RecordRef } from '../queue/outcomes.ts';
import type { SubscribeOptions, Subscriptions } from './subscription.ts';

/**
 * Related edits that are saved together when the user has done with all of them (rule A12). Each call is durable when it resolves; nothing
 * of it shows in ordinary reads or goes to the server before `save`, whatever happens to the app. What other devices do to its records
 * waits meanwhile.
 */
export interface Draft<S extends Schema, O extends ObjectName<S>> extends Omit<DraftInfo, 'changes'> {
  /** Changes fields of the record that the draft was opened on. */
  set(values: UpdateInput<S, O>): Promise<void>;
  /** Creates a record in the draft; required fields may be empty until it is saved. */
  add<A extends ObjectName<S>>(object: A, values: Partial<CreateInput<S, A>>): Promise<RecordRef>;
  /** Changes fields of a record in the draft, or takes one in. */
  change<A extends ObjectName<S>>(object: A, id: string, values: UpdateInput<S, A>): Promise<RecordRef>;
  /** Deletes a record in the draft, with what hangs on it in its group. */
  remove(object: ObjectName<S>, id: string): Promise<RecordRef>;
  /** Reads the record that the draft was opened on as the draft shows it; `null` when the draft deletes it. */
  get(): Promise<RecordOf<S, O> | null>;
  /** Reads every record in the draft: that one first, then those that it changes in order, then the rest of the group. */
  read(): Promise<readonly DraftRecord[]>;
  /**
   * Queues what the draft changes and ends it, in one commit: one entry per group, one per record outside groups. What was shown when the
   * draft was opened counts as seen: it conflicts with what changed online since.
   *
   * @throws {@link SyncFault} `FIELD_REQUIRED`, `RECORD_LOCKED`, `CHANGE_TOO_LARGE` and others; then the draft stays as it is.
   */
  save(): Promise<DraftReceipt>;
  /** Ends the draft; the journal keeps its content for 30 days, under the entry that this returns. */
  discard(): Promise<DraftReceipt>;
}

/** All open drafts of this device; those of an earlier run too. */
export interface Drafts<S extends Schema = Schema> {
  /** Lists them. */
  list(): Promise<readonly DraftInfo[]>;
  /** Calls the listener with all of them now and after each change, until the returned function is called. */
  subscribe(listener: (drafts: readonly DraftInfo[]) => void, options?: SubscribeOptions): Unsubscribe;
  /** Goes on with one. @throws {@link SyncFault} `DRAFT_UNKNOWN` */
  open(id: string): Promise<Draft<S, ObjectName<S>>>;
}

/** Opens a draft on a record, or on one that it creates; a group that is in a draft already is in that one. */
export async function openDraft<S extends Schema, O extends ObjectName<S>>(engine: SyncEngine, object: O, id: string | null): Promise<Draft<S, O>> {
  return createDraft(engine, await ask(engine, { kind: 'open', object, id }));
}

/** Makes what a client offers of drafts. */
export function createDrafts<S extends Schema>(engine: SyncEngine, subscriptions: Subscriptions): Drafts<S> {
  const list = (): Promise<readonly DraftInfo[]> => ask(engine, { kind: 'list' });
  return {
    list,
    subscribe: (listener, options) => subscriptions.open<readonly DraftInfo[]>((hear) => engine.watchDrafts(hear), listener, options),
    async open(id) {
      // Reading it first: an unknown one is refused by the engine.
      await ask(engine, { kind: 'read', draft: id });
      return createDraft(engine, (await list()).find((draft) => draft.id === id)!);
    },
  };
}

function createDraft<S extends Schema, O extends ObjectName<S>>(engine: SyncEngine, info: DraftInfo): Draft<S, O> {
  const draft = info.id;
  const change = (request: DraftChange): Promise<RecordRef> => ask(engine, { kind: 'change', draft, ...request });
  const read = (): Promise<readonly DraftRecord[]> => ask(engine, { kind: 'read', draft });
  return {
    ...info,
    set: async (values) => void (await change({ op: 'update', object: info.object, values: copyValues(values) })),
    async add(object, input) {
      const { id, ...values } = copyValues(input);
      return change({ op: 'create', object, id: id as string | undefined, values });
    },
    change: async (object, id, values) => change({ op: 'update', object, id, values: copyValues(values) }),
    remove: (object, id) => change({ op: 'remove', object, id }),
    async get() {
      const [{ id, values }] = (await read()) as [DraftRecord];
      return values && ({ id, ...values } as unknown as RecordOf<S, O>);
    },
    read,
    save: () => ask(engine, { kind: 'save', draft }),
    discard: () => ask(engine, { kind: 'discard', draft }),
  };
}

async function ask<Kind extends DraftRequest['kind']>(engine: SyncEngine, request: DraftRequest & { readonly kind: Kind }): Promise<DraftAnswers[Kind]> {
  return (await engine.draft(request)) as DraftAnswers[Kind];
}
