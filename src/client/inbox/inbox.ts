import { createEmitter, type Unsubscribe } from '../../shared/emitter.ts';
import type { Conversation } from '../network/conversation.ts';
import type { EngineContext } from '../engine-context.ts';
import type { EngineCore } from '../engine-core.ts';
import { findSyncError } from './find-sync-error.ts';
import { isUndecided, laneKeysOf, type QueueEntry } from '../queue/queue-entry.ts';
import type { Key } from '../store/record-key.ts';
import type { SyncError, UndoReceipt } from './sync-error.ts';
import { listSyncErrors, type ShownOnline } from './sync-error-list.ts';
import { undoSyncError } from './undo.ts';

/** What the inbox needs beside the engine's own parts. */
export interface InboxOptions {
  readonly context: EngineContext;
  /** Who talks to the server. */
  readonly conversation: () => Promise<Pick<Conversation, 'voidNumbers'>>;
  /** Something may go up now. */
  readonly wakeUpload: () => void;
  /** Records are to be read anew. */
  readonly wantReads: (keys: readonly Key[]) => void;
  readonly onFault: (thrown: unknown) => void;
}

/** Makes the inbox of an engine. */
export function createInbox(core: EngineCore, wakeUpload: () => void): Inbox {
  return new Inbox({
    context: core.context,
    conversation: () => core.connection.open(),
    wakeUpload,
    // Where there is no conversation yet, it finds them noted.
    wantReads: (keys) => core.connection.tell((conversation) => void conversation.wantReads(keys).catch(() => {})),
    onFault: (thrown) => core.connection.noteThrown(thrown),
  });
}

/** The changes that the server refused: who looks at them, and what people decide (rule B13). */
export class Inbox {
  readonly options: InboxOptions;
  /** What people were last shown of what is online: what they decide on, whatever has come in since. */
  readonly shown: ShownOnline = new Map();
  readonly #lists = createEmitter<readonly SyncError[]>();
  #listeners = 0;
  #shown = '[]';
  #isLooking = false;

  constructor(options: InboxOptions) {
    this.options = options;
  }

  list(): Promise<readonly SyncError[]> {
    const { context } = this.options;
    return context.steps.run(() => listSyncErrors(context, this.shown));
  }

  watch(listener: (errors: readonly SyncError[]) => void): Promise<Unsubscribe> {
    const { context } = this.options;
    return context.steps.run(async () => {
      const list = await listSyncErrors(context, this.shown);
      this.#shown = JSON.stringify(list);
      listener(list);
      const stop = this.#lists.subscribe(listener);
      this.#listeners += 1;
      return () => {
        stop();
        this.#listeners -= 1;
      };
    });
  }

  /** After a commit: tells the listeners if any sync error is another one now, what is online of it and what waits behind it included. */
  look(): void {
    const { context, onFault } = this.options;
    if (this.#isLooking || this.#listeners === 0 || (context.store.counts.failed === 0 && this.#shown === '[]')) return;
    this.#isLooking = true;
    const look = async (): Promise<void> => {
      this.#isLooking = false;
      const list = await listSyncErrors(context, this.shown);
      const shown = JSON.stringify(list);
      if (shown === this.#shown) return;
      this.#shown = shown;
      this.#lists.emit(list);
    };
    context.steps.run(look).catch(onFault);
  }

  async undo(syncError: number): Promise<UndoReceipt> {
    const { context, wakeUpload, wantReads } = this.options;
    if (!(await this.giveUpNumber(findSyncError(context.store, syncError)))) return { entries: [] };
    const undone = await context.steps.run(() => undoSyncError(context, syncError));
    wakeUpload();
    // The records already are what the server last said.
    wantReads(undone.flatMap(laneKeysOf));
    return { entries: undone.map(({ seq }) => seq) };
  }

  /**
   * Rule C2: before the device takes an entry back on which the server may still decide, it makes sure that the server will not. Answers
   * `false` when the server had decided after all, and its decision stands.
   */
  async giveUpNumber(refused: QueueEntry): Promise<boolean> {
    if (!isUndecided(refused)) return true;
    const { context, conversation } = this.options;
    await (await conversation()).voidNumbers([refused.seq]);
    return context.store.entry(refused.seq)?.refusal?.isOwn === true;
  }

  close(): void {
    this.#lists.clear();
  }
}
