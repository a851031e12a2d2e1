import type { DraftInfo } from './drafts/draft.ts';
import type { EngineCore } from './engine-core.ts';
import type { RecordCalls } from './engine.ts';
import { saveChange, saveChanges } from './queue/save-changes.ts';

/** Makes the calls that read and change records: all of them on this device, but `fetch`. */
export function createRecordCalls(core: EngineCore): RecordCalls {
  async function draft(request: Parameters<RecordCalls['draft']>[0]): ReturnType<RecordCalls['draft']> {
    await core.assertOpen();
    const { answerDraft } = await core.context.parts.drafts();
    const answer = await core.save((context, limits) => answerDraft(context, limits, request));
    if (request.kind !== 'list' && request.kind !== 'read') {
      core.draftLists.emit(await listDrafts());
      core.board.show();
    }
    return answer;
  }

  const listDrafts = async () => (await draft({ kind: 'list' })) as readonly DraftInfo[];

  return {
    create: (object, values, id) => core.save((context, limits) => saveChange(context, limits, { op: 'create', object, id, values })),
    update: (object, id, values, seen) => core.save((context, limits) => saveChange(context, limits, { op: 'update', object, id, values, seen })),
    remove: (object, id) => core.save((context, limits) => saveChange(context, limits, { op: 'remove', object, id })),
    save: (changes) => core.save((context, limits) => saveChanges(context, limits, changes)),
    async restore(object, id) {
      const { restoreRecord } = await core.byHand();
      return core.save((context) => restoreRecord(context, object, id));
    },
    draft,
    async watchDrafts(listener) {
      listener(await listDrafts());
      return core.draftLists.subscribe(listener);
    },
    async watchHandle(object, id, mode, listener) {
      const desk = await core.openHandles();
      const handle = await core.step(() => desk.open(object, id, mode, listener));
      // At once: what is asked next comes after it (rule A38). A client that is closed has closed it.
      return () => void core.step(() => desk.close(handle)).catch(() => {});
    },
    async handle(request) {
      const desk = await core.openHandles();
      return core.save((context, limits) => desk.answer(context, limits, request));
    },
    get: (object, id) =>
      core.step(async ({ store, records }) => {
        store.layout(object);
        return records.view(await records.resolve(object, id));
      }),
    async fetch(object, id) {
      await core.assertOpen();
      core.context.store.layout(object);
      await (await core.connection.open()).fetchRecord(object, id);
      return core.step(async ({ records }) => records.view(await records.resolve(object, id)));
    },
    async query(query) {
      await core.assertOpen();
      return core.live.run(query);
    },
    async watchQuery(query, listener) {
      await core.assertOpen();
      return core.live.watch(query, listener);
    },
    watchRecord: (object, id, listener) =>
      core.step(async ({ store, records }) => {
        store.layout(object);
        const key = await records.resolve(object, id);
        listener(await records.view(key));
        return core.live.watchRecord(key, listener);
      }),
    async outcome(entry) {
      const outcomes = await core.openOutcomes();
      return (await core.step(() => outcomes.wait(entry))).settled;
    },
  };
}
