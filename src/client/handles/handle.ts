import type { RecordView, SaveReceipt } from '../engine.ts';

/** What a person does with an open record. Both keep it as it is; `edit` is refused at once where nothing could be saved. */
export type HandleMode = 'view' | 'edit';

/**
 * What there is of a record beyond what an open handle shows (rule A36): other values of it or of its group, one of a group that was
 * submitted elsewhere, or none any more for this user.
 */
export type NewerVersion = 'changed' | 'submitted' | 'deleted' | 'hidden';

/** A record as a handle shows it, in plain data. */
export interface HandleView {
  /** Names the handle in calls. */
  readonly handle: number;
  /** Counts up with each view: of two that cross on their way, the greater is the later. */
  readonly place: number;
  /** The record as the person sees it, whatever has become of it since. */
  readonly record: RecordView;
  /** `null` while the handle shows all there is. */
  readonly newer: NewerVersion | null;
}

/** What waits of a record until nobody has it open and its group is whole (rule A37). */
export interface NewerRecord {
  /** What it is online. */
  readonly state: 'live' | 'deleted' | 'hidden';
  /** `null` unless it is `live`. */
  readonly record: RecordView | null;
}

/** What is asked of open records, in plain data. */
export type HandleRequest =
  | { readonly kind: 'update' | 'remove'; readonly handle: number; readonly values: Readonly<Record<string, unknown>> }
  | { readonly kind: 'showNewest' | 'close'; readonly handle: number }
  | { readonly kind: 'newer'; readonly object: string; readonly id: string };

/** What each request answers. */
export interface HandleAnswers {
  readonly update: HandleSave;
  readonly remove: HandleSave;
  readonly showNewest: HandleView;
  readonly close: null;
  readonly newer: NewerRecord | null;
}

/** What any request answers. */
export type HandleAnswer = HandleAnswers[HandleRequest['kind']];

/** A save through a handle, and what the handle shows after it. */
export interface HandleSave {
  readonly receipt: SaveReceipt;
  readonly view: HandleView;
}
