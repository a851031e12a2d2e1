import type { NetworkContext } from '../engine-context.ts';
import type { DownloadReceipt } from '../engine.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import { Step } from '../store/step.ts';
import { orderedKey, STATE, type StagedDownload } from '../store/stored.ts';
import { applyDownload, loadBulk } from './apply-download.ts';
import { decideDownload } from './decide-download.ts';
import { coveredBy, stagedRow } from './staged-pages.ts';

export { finishDownload } from './apply-download.ts';

/** A download that was interrupted goes on within this time; later it begins anew. */
const RESUME_WITHIN_MS = 12 * 3_600_000;

/**
 * Brings a new or long-absent device everything that its user may see: key-ordered pages, staged in storage, and applied once all of them are
 * here. A kill before that leaves the old consistent state, and the next call goes on where the last one stopped; a kill while they are
 * applied leaves the new one, which the next opening finishes before anything is read.
 */
export class SnapshotDownload {
  readonly #context: NetworkContext;

  constructor(context: NetworkContext) {
    this.#context = context;
  }

  /** @param upload - sends what waits: once what comes in is noted, so that what it brings is not taken for something that is gone */
  async run(upload: () => Promise<void>): Promise<DownloadReceipt> {
    try {
      return await this.#run(upload);
    } finally {
      this.#context.store.notesFresh = false;
    }
  }

  async #run(upload: () => Promise<void>): Promise<DownloadReceipt> {
    const { steps, store, answers, emit, showProgress } = this.#context;
    const resumed = await steps.run(() => this.#begin());
    await upload();
    emit({ type: 'download:started', isResumed: resumed });
    let staged = store.meta.download;
    while (staged === null || staged.next !== null) {
      showProgress({ stage: 'downloading', records: staged?.records ?? 0, bytes: staged?.bytes ?? 0 });
      await this.#stageNext(staged);
      staged = store.meta.download;
    }
    showProgress({ stage: 'applying', records: staged.records, bytes: staged.bytes });
    return answers.alone(() => this.#apply());
  }

  /** Keeps a staged download that can go on, and drops one that cannot. */
  async #begin(): Promise<boolean> {
    const { store, clock, schema } = this.#context;
    const staged = store.meta.download;
    const age = staged === null ? -1 : clock.now() - staged.startedAt;
    // What an earlier build staged does not say what its pages tell all of.
    if (age >= 0 && age < RESUME_WITHIN_MS && staged?.schema === schema.hash && staged.objects !== undefined) return true;
    await this.#drop();
    // From now on, not from the first page on: what comes in while that is under way may be newer than the page.
    store.notesFresh = true;
    return false;
  }

  async #drop(): Promise<void> {
    const { store } = this.#context;
    const step = new Step();
    for (let place = 0; place < (store.meta.download?.pages ?? 0); place++) step.removeState.push(orderedKey(STATE.stage, place));
    for await (const { key } of store.scanState(STATE.fresh)) step.removeState.push(key);
    step.meta = { download: null };
    await store.commit(step, 'relaxed');
  }

  async #stageNext(staged: StagedDownload | null): Promise<void> {
    const { store, link, steps, clock, schema } = this.#context;
    const page = await link.snapshot(store.meta.store, staged?.next ?? null);
    const { keys } = link.images(page);
    if (staged !== null && page.server.epoch !== staged.cursor.epoch) {
      // The server was restored from a backup: pages of two histories must not be mixed.
      return steps.run(() => this.#drop());
    }
    const { ranges, objects } = coveredBy(page, keys, staged);
    await steps.run(async () => {
      const step = new Step();
      const pages = staged?.pages ?? 0;
      step.putState.push(stagedRow(pages, { ...page, outside: [], time: page.server.time, ranges }));
      step.meta = {
        download: {
          startedAt: staged?.startedAt ?? clock.now(),
          schema: schema.hash,
          // Of the first page: whatever is saved from that moment on comes through the feed.
          cursor: staged?.cursor ?? page.cursor,
          pages: pages + 1,
          records: (staged?.records ?? 0) + keys.length,
          bytes: (staged?.bytes ?? 0) + page.items.length,
          serverTime: page.server.time,
          next: page.next,
          objects,
          applying: null,
        },
      };
      await store.commit(step, 'relaxed');
    });
  }

  /** Applies the pages. Where only the server can tell what became of a record, it is asked, with no other answer under way. */
  async #apply(): Promise<DownloadReceipt> {
    const asked = new Set<Key>();
    const openBulk = await loadBulk(this.#context);
    for (;;) {
      const outcome = await this.#context.steps.run(async () => {
        const unclear = await decideDownload(this.#context, asked);
        return unclear.length > 0 ? unclear : applyDownload(this.#context, openBulk);
      });
      if ('records' in outcome) return outcome;
      for (const key of outcome) {
        await this.#ask(key);
        asked.add(key);
      }
    }
  }

  /** Stages what the server says of one record. */
  async #ask(key: Key): Promise<void> {
    const { store, link, steps } = this.#context;
    const { layouts, items, outside, server: { time } } = await link.record(store.meta.store, splitKey(key));
    await steps.run(async () => {
      const step = new Step();
      const download = store.meta.download!;
      step.putState.push(stagedRow(download.pages, { layouts, items, outside, time, ranges: [] }));
      step.meta = { download: { ...download, pages: download.pages + 1 } };
      await store.commit(step, 'relaxed');
    });
  }
}
