import { h, type View } from '../render/view.ts';
import type { Device } from './device.ts';
import { NETWORK_MODES } from './network.ts';

/** Online, slow or offline, as one group of radio buttons: the arrow keys choose. */
export function networkView({ profile, network, setNetwork }: Device): View {
  return h('fieldset', { key: 'network', class: 'segments', 'data-testid': 'network' },
    h('legend', { class: 'sr-only' }, `Connection of ${profile.title}`),
    NETWORK_MODES.map(({ mode, label }) =>
      h('label', { key: mode, class: `segment segment-${mode}` },
        h('input', { type: 'radio', name: `${profile.key}-network`, value: mode, checked: mode === network, on: { change: () => setNetwork(mode) } }),
        h('span', {}, label),
      )),
  );
}
