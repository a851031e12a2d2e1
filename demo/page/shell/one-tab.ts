import { patch } from '../render/patch.ts';
import { h } from '../render/view.ts';

const LOCK = 'fieldtide-demo-page';

/**
 * The devices of this page live in the browser's storage, so only one tab can be them. The newest tab takes over, and the one before
 * hears of it.
 */
export function becomeTheTab(onTakenOver: () => void): void {
  navigator.locks.request(LOCK, { steal: true }, () => new Promise<never>(() => {})).catch(onTakenOver);
}

/** Puts a sentence in place of the page. */
export function showTakenOver(): void {
  patch(document.body, [
    h('main', { class: 'notice' },
      h('h1', {}, 'These devices are open in another tab'),
      h('p', {}, 'They can only be in one place at a time.'),
      h('button', { type: 'button', class: 'button primary', on: { click: () => location.reload() }, onMount: (element) => element.focus() }, 'Use them here'),
    ),
  ]);
}
