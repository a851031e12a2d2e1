import { h, type View } from '../render/view.ts';
import type { Device } from './device.ts';
import { NETWORK_MODES } from './network.ts';

/** Online, slow or offline, as one group of radio buttons: the arrow keys choose. Beside them, what else can go wrong on the way. */
export function networkView({ profile, connection, setNetwork, holdBack }: Device): View {
  return h('div', { key: 'network', class: 'network' },
    h('fieldset', { class: 'segments', 'data-testid': 'network' },
      h('legend', { class: 'sr-only' }, `Connection of ${profile.title}`),
      NETWORK_MODES.map(({ mode, label }) =>
        h('label', { key: mode, class: `segment segment-${mode}` },
          h('input', { type: 'radio', name: `${profile.key}-network`, value: mode, checked: mode === connection.mode, on: { change: () => setNetwork(mode) } }),
          h('span', {}, label),
        )),
    ),
    h('label', { class: 'tick hold-back', title: 'Leaves one order line out of what the feed brings, and delivers it when this is switched off' },
      h('input', { type: 'checkbox', name: `${profile.key}-hold-back`, checked: connection.holdsBack, on: { change: (event) => holdBack((event.target as HTMLInputElement).checked) } }),
      h('span', {}, 'Hold back an order line'),
    ),
  );
}
