import { moveAlongTabs } from '../records/browser-view.ts';
import { icon } from '../render/icon.ts';
import { classes, h, type View } from '../render/view.ts';
import { WALKS, type Progress, type Walk } from './walks.ts';

export interface GuideOptions {
  readonly progress: Progress;
  readonly onSelect: (walk: Walk) => void;
  readonly onStartOver: (walk: Walk) => void;
}

/** Things to try, one at a time, with the steps that were done ticked off. */
export function guideView({ progress, onSelect, onStartOver }: GuideOptions): View {
  const walk = progress.selected;
  const done = progress.doneOf(walk);
  return h('section', { key: 'guide', class: 'guide', id: 'guide', 'aria-label': 'Try this' },
    h('div', { class: 'walk-tabs', role: 'tablist', 'aria-label': 'Things to try', on: { keydown: moveAlongTabs } }, WALKS.map((one) => tabView(one, one === walk, progress.doneOf(one) === one.steps.length, onSelect))),
    h('div', { class: 'walk', role: 'tabpanel', id: 'walk', 'aria-labelledby': `walk-${walk.key}` },
      h('div', { class: 'walk-head' },
        h('p', { class: 'muted' }, walk.lead),
        done > 0 && h('button', { type: 'button', class: 'quiet small', on: { click: () => onStartOver(walk) } }, 'Start over'),
      ),
      h('ol', { class: 'steps' }, walk.steps.map(({ text }, index) =>
        h('li', { key: text, class: classes('step', index < done && 'step-done', index === done && 'step-next') },
          h('span', { class: 'step-mark', 'aria-hidden': 'true' }, index < done ? icon('check') : String(index + 1)),
          h('span', {}, text, index < done && h('span', { class: 'sr-only' }, ' (done)')),
        ))),
    ),
  );
}

function tabView(walk: Walk, isSelected: boolean, isDone: boolean, onSelect: (walk: Walk) => void): View {
  return h('button', {
    key: walk.key,
    type: 'button',
    role: 'tab',
    id: `walk-${walk.key}`,
    'aria-selected': isSelected ? 'true' : 'false',
    'aria-controls': 'walk',
    tabindex: isSelected ? 0 : -1,
    on: { click: () => onSelect(walk) },
  }, walk.title, isDone && icon('check'), isDone && h('span', { class: 'sr-only' }, ' (done)'));
}
