import type { OpenRecord } from '../../../src/client/facade/typed-handles.ts';
import type { SyncObject } from '../../../src/client/facade/typed-objects.ts';
import type { Schema } from '../../../src/schema.ts';
import { isFault } from '../../../src/shared/fault.ts';
import type { Unsubscribe } from '../../../src/shared/emitter.ts';
import type { Values } from '../crm/object-face.ts';
import type { OpenedRecord, OpenShown, ShownRecord } from '../records/record-source.ts';

export interface OpenRecordOptions {
  readonly id: string;
  /** Asks the client that runs now. */
  readonly object: () => SyncObject<Schema, string>;
  /** Subscribes, and again with each new client. */
  readonly watch: (subscribe: () => Unsubscribe) => Unsubscribe;
  readonly toShown: (record: Readonly<Record<string, unknown>> & { readonly id: string }) => ShownRecord;
  readonly listener: (shown: OpenShown) => void;
}

type Handle = OpenRecord<Schema, string>;

/**
 * Holds a record open while a form shows it (rule A36): nothing of it, or of its group, changes under the person's eyes. A record that is
 * not on the device yet is opened when it comes.
 */
export function openRecord({ id, object, watch, toShown, listener }: OpenRecordOptions): OpenedRecord {
  let handle: Handle | null = null;
  let run = 0;

  function show({ record, newer }: Pick<Handle, 'record' | 'newer'>): void {
    listener({ record: toShown(record), newer });
  }

  function letGo(): void {
    run++;
    void handle?.close();
    handle = null;
  }

  async function open(): Promise<void> {
    const own = ++run;
    const opened = await object().open(id);
    // Closed meanwhile, or opened anew by a restart.
    if (own !== run) return opened.close();
    handle = opened;
    opened.subscribe(show);
  }

  const stop = watch(() => {
    let isThere = false;
    const stopWatching = object().watch(id, (record) => {
      const wasThere = isThere;
      isThere = record !== null;
      // While it is open the handle says what is shown.
      if (record === null && handle === null) listener({ record: null, newer: null });
      if (isThere && !wasThere && handle === null) open().catch(() => (isThere = false)); // gone again; tried when it comes back
    });
    return () => {
      stopWatching();
      letGo();
    };
  });

  const opened = (): Handle => {
    if (handle === null) throw new Error('The record is being opened; try again.');
    return handle;
  };

  /** What was open ended with the tab that had the store: it is opened anew, and the person looks first. */
  async function orOpenAnew<T>(act: (handle: Handle) => Promise<T>): Promise<T> {
    try {
      return await act(opened());
    } catch (thrown) {
      if (!isFault(thrown, 'HANDLE_CLOSED')) throw thrown;
      handle = null;
      await open();
      throw new Error('The record was opened anew. Look at it, then save again.', { cause: thrown });
    }
  }

  return {
    update: (values: Values) => orOpenAnew(async (one) => void (await one.update(values))),
    remove: () => orOpenAnew(async (one) => void (await one.remove())),
    showNewest: () =>
      orOpenAnew(async (one) => {
        const { newer } = await one.showNewest();
        if (newer !== 'deleted' && newer !== 'hidden') return;
        letGo();
        listener({ record: null, newer: null });
      }),
    close: stop,
  };
}
