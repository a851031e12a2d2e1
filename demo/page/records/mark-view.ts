import { icon, type IconName } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';
import type { SyncMark } from './record-source.ts';

const MARKS: Readonly<Record<SyncMark, { readonly icon: IconName; readonly text: string }>> = {
  synced: { icon: 'check', text: 'Saved' },
  waiting: { icon: 'clock', text: 'Waiting' },
  sending: { icon: 'sending', text: 'Sending' },
  error: { icon: 'alert', text: 'Problem' },
};

/** The mark beside a record: waiting, sending, saved or problem, as a shape and a word and not by colour alone. */
export function markView(mark: SyncMark | null, options: { readonly isLarge?: boolean } = {}): View | null {
  if (mark === null) return null;
  const { icon: name, text } = MARKS[mark];
  return h('span', { class: `mark mark-${mark}${options.isLarge ? ' mark-large' : ''}`, 'data-testid': 'mark', 'data-mark': mark, title: text },
    icon(name),
    h('span', { class: options.isLarge || mark !== 'synced' ? 'mark-text' : 'sr-only' }, text),
  );
}

/** The mark of a record with edits that are not saved. */
export function draftMark(): View {
  return h('span', { class: 'mark mark-draft', 'data-testid': 'mark', 'data-mark': 'draft', title: 'Edits that are not saved' }, icon('pencil'), h('span', { class: 'mark-text' }, 'Draft'));
}
