import type { ObjectName, Schema, UpdateInput } from '../../protocol/schema.ts';
import { createEmitter, type Unsubscribe } from '../../shared/emitter.ts';
import { withAsyncDispose } from './async-dispose.ts';
import { copyValues } from './copy-values.ts';
import type { RecordSyncState, RecordView, SaveReceipt, SyncEngine } from '../engine.ts';
import type { HandleAnswers, HandleMode, HandleRequest, HandleView, NewerRecord, NewerVersion } from '../handles/handle.ts';
import type { SyncedRecord } from '../read/record-query.ts';
import type { SubscribeOptions, Subscriptions } from './subscription.ts';

/** What an open record shows. */
export interface ShownRecord<S extends Schema, O extends ObjectName<S>> {
  /** The record, frozen: it changes by the user's own saves alone, and in what the server writes with them. */
  readonly record: SyncedRecord<S, O>;
  /** There is more than the handle shows: `showNewest` takes it in, and so does leaving. */
  readonly newerAvailable: boolean;
  /** What that is; `null` where there is nothing newer. */
  readonly newer: NewerVersion | null;
  /** Where the record stands between device and server. */
  readonly syncState: RecordSyncState;
}

/**
 * A record that a person has open (rule A36): what others do to it, and to its group, waits until it is closed. Close it when the person
 * leaves: `await using` does, and the end of the page as well.
 */
export interface OpenRecord<S extends Schema, O extends ObjectName<S>> extends ShownRecord<S, O> {
  /** Calls the listener with what is shown, now and after each change of it, until the returned function is called. */
  subscribe(listener: (shown: ShownRecord<S, O>) => void, options?: SubscribeOptions): Unsubscribe;
  /**
   * Changes the given fields. What the handle shows counts as seen, so the save conflicts with what others changed in these fields since.
   *
   * @throws {@link SyncFault} what `update` throws, and `HANDLE_CLOSED`
   */
  update(values: UpdateInput<S, O>): Promise<SaveReceipt>;
  /** Deletes the record as the handle shows it, with what hangs on it in its group. Throws as `update` does. */
  remove(): Promise<SaveReceipt>;
  /** Shows the record as it is on this device now, and takes in what waits where that is safe: nobody else has it open. */
  showNewest(): Promise<ShownRecord<S, O>>;
  /** Ends it. Once nobody has the record open, what waited is merged before any later call reads it (rule A38). */
  close(): Promise<void>;
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What opening a record takes. */
export interface OpenOptions {
  /** What the person does with it; `edit` refuses at once what could not be saved. @defaultValue 'view' */
  readonly mode?: HandleMode;
}

/** What waits of a record until it may be merged. */
export interface NewerOf<S extends Schema, O extends ObjectName<S>> {
  /** What the record is online. */
  readonly state: NewerRecord['state'];
  /** The record as it is online; `null` unless it is `live`. */
  readonly record: SyncedRecord<S, O> | null;
}

/** Asks something of open records. */
export async function askHandle<Kind extends HandleRequest['kind']>(engine: SyncEngine, request: HandleRequest & { readonly kind: Kind }): Promise<HandleAnswers[Kind]> {
  return (await engine.handle(request)) as HandleAnswers[Kind];
}

/** Opens a record; resolves once it shows something. To watch a handle is to hold it open. */
export function openRecord<S extends Schema, O extends ObjectName<S>>(
  engine: SyncEngine,
  subscriptions: Subscriptions,
  toRecord: (view: RecordView) => SyncedRecord<S, O>,
  watch: (hear: (view: HandleView) => void) => Promise<Unsubscribe>,
): Promise<OpenRecord<S, O>> {
  return new Promise((resolve, reject) => {
    const heard = createEmitter<ShownRecord<S, O>>();
    const open = {} as OpenRecord<S, O>;
    let last: HandleView | undefined;
    let shown: ShownRecord<S, O>;

    // Views come as answers and by themselves: of two that cross, the later counts.
    function show(view: HandleView): ShownRecord<S, O> {
      if (view.place > (last?.place ?? 0)) {
        const { record, newer } = (last = view);
        shown = { record: Object.freeze(toRecord(record)) as SyncedRecord<S, O>, newer, newerAvailable: newer !== null, syncState: record.syncState };
        heard.emit(Object.assign(open, shown));
      }
      return shown;
    }

    async function save(kind: 'update' | 'remove', values: object = {}): Promise<SaveReceipt> {
      const { receipt, view } = await askHandle(engine, { kind, handle: last!.handle, values: copyValues(values) });
      show(view);
      return receipt;
    }

    async function close(): Promise<void> {
      stop();
      // The client may be closed already, and the handle with it.
      await askHandle(engine, { kind: 'close', handle: last!.handle }).catch(() => {});
    }

    const stop = subscriptions.open(watch, (view) => {
      show(view);
      resolve(open);
    }, { onFault: reject });

    withAsyncDispose(Object.assign(open, {
      subscribe: (listener: (shown: ShownRecord<S, O>) => void, options?: SubscribeOptions) =>
        subscriptions.open<ShownRecord<S, O>>(async (hear) => {
          hear(shown);
          return heard.subscribe(hear);
        }, listener, options),
      update: (values: UpdateInput<S, O>) => save('update', values),
      remove: () => save('remove'),
      showNewest: async () => show(await askHandle(engine, { kind: 'showNewest', handle: last!.handle })),
      close,
    }), close);
  });
}
