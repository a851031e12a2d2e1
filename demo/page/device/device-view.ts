import { browserView } from '../records/browser-view.ts';
import { icon } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';
import { panelHead } from '../shell/panel-head.ts';
import type { Device } from './device.ts';
import { logView } from './log-view.ts';
import { networkView } from './network-view.ts';
import { problemsView } from './problems-view.ts';
import { statusView } from './status-view.ts';

/** Everything of one device, top to bottom. */
export function deviceView(device: Device): readonly View[] {
  const { profile, status } = device;
  const key = profile.key;
  return [
    panelHead({ key, title: profile.title, subtitle: profile.person.name, icon: profile.icon, actions: [
      h('button', {
        type: 'button',
        class: 'icon-button',
        'aria-label': `Download everything to ${profile.title}`,
        title: 'Download everything this person may see',
        disabled: status === null || status.progress !== null || !status.isOnline,
        on: { click: () => void device.download() },
      }, icon('download')),
      h('button', {
        type: 'button',
        class: 'icon-button',
        'aria-label': `Kill and restart ${profile.title}`,
        title: 'Kill the worker, then start again',
        on: { click: () => device.killAndRestart() },
      }, icon('restart')),
    ] }),
    networkView(device),
    statusView(device),
    ...(device.isShowingProblems ? [problemsView(device)] : browserView(device.browser, key)),
    logView(device.log, device.browser.titles.titleOf, key),
  ];
}
