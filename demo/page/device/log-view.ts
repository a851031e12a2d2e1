import { formatTime } from '../crm/format.ts';
import type { TitleOf } from '../crm/object-face.ts';
import { h, type View } from '../render/view.ts';
import type { DeviceLog } from './log.ts';

/** What the SDK does on this device and why, newest first. The status is what is read aloud; this is for looking. */
export function logView(log: DeviceLog, titleOf: TitleOf, idPrefix: string): View {
  return h('section', { key: 'log', class: 'log', 'aria-labelledby': `${idPrefix}-log-title` },
    h('h3', { id: `${idPrefix}-log-title` }, 'What happens, and why'),
    h('ol', { class: 'log-lines', tabindex: 0, role: 'log', 'aria-live': 'off', 'aria-labelledby': `${idPrefix}-log-title`, 'data-testid': 'log' },
      log.lines(titleOf).map(({ id, at, tone, text, why, times }) =>
        h('li', { key: String(id), class: `log-line log-${tone}` },
          h('time', {}, formatTime(at)),
          h('p', {},
            h('span', { class: 'log-text' }, text),
            times > 1 && h('span', { class: 'log-times' }, ` ×${times}`),
            why !== '' && h('span', { class: 'log-why' }, ` ${why}`),
          ),
        ))),
  );
}
