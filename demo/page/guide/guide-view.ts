import { icon } from '../render/icon.ts';
import { classes, h, type View } from '../render/view.ts';
import { WALKS, type Progress, type Walk } from './walks.ts';

/** Things to try, with the steps that were done ticked off. */
export function guideView(progress: Progress, onStartOver: (walk: Walk) => void): View {
  return h('section', { key: 'guide', class: 'guide', id: 'guide', 'aria-label': 'Try this' }, WALKS.map((walk) => {
    const done = progress.doneOf(walk);
    return h('article', { key: walk.key, class: 'walk' },
      h('header', { class: 'walk-head' },
        h('h2', {}, walk.title),
        h('p', { class: 'muted' }, walk.lead),
        done > 0 && h('button', { type: 'button', class: 'quiet small', on: { click: () => onStartOver(walk) } }, 'Start over'),
      ),
      h('ol', { class: 'steps' }, walk.steps.map(({ text }, index) =>
        h('li', { key: text, class: classes('step', index < done && 'step-done', index === done && done > 0 && 'step-next') },
          h('span', { class: 'step-mark', 'aria-hidden': 'true' }, index < done ? icon('check') : String(index + 1)),
          h('span', {}, text, index < done && h('span', { class: 'sr-only' }, ' (done)')),
        ))),
    );
  }));
}
