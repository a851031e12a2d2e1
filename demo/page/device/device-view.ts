import { browserView } from '../records/browser-view.ts';
import { icon } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';
import { panelHead } from '../shell/panel-head.ts';
import type { Device } from './device.ts';
import { logView } from './log-view.ts';
import { networkView } from './network-view.ts';
import { draftsView, journalView } from './kept-view.ts';
import { noticesView } from './notices-view.ts';
import { problemsView } from './problems-view.ts';
import { askView, signedOutView } from './sign-out-view.ts';
import { statusView } from './status-view.ts';
import { waitingView } from './waiting-view.ts';

/** Everything of one device, top to bottom. */
export function deviceView(device: Device): readonly View[] {
  const { profile, status, signedOut, asksToSignOut } = device;
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
        disabled: signedOut !== null,
        on: { click: () => device.killAndRestart() },
      }, icon('restart')),
      h('button', {
        type: 'button',
        class: 'icon-button',
        'aria-label': `Journal of ${profile.title}`,
        title: 'What was taken back here',
        disabled: status === null,
        on: { click: () => void device.inbox.showJournal() },
      }, icon('clock')),
      h('button', {
        type: 'button',
        class: 'icon-button',
        'aria-label': `Sign out of ${profile.title}`,
        title: 'Sign out',
        disabled: status === null,
        on: { click: () => device.askToSignOut(true) },
      }, icon('leave')),
    ] }),
    networkView(device),
    ...(signedOut === null
      ? [statusView(device), ...(asksToSignOut === null ? [] : [askView(device, asksToSignOut)]), ...contentViews(device)]
      : [signedOutView(device, signedOut)]),
    logView(device.log, device.browser.titles.titleOf, key),
  ];
}

function contentViews(device: Device): readonly View[] {
  switch (device.inbox.pane) {
    case 'problems': return [problemsView(device)];
    case 'notices': return [noticesView(device)];
    case 'drafts': return [draftsView(device)];
    case 'journal': return [journalView(device)];
    case 'waiting': return [waitingView(device)];
    case null: return browserView(device.browser, device.profile.key);
  }
}
