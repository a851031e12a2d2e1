import { icon, type IconName } from '../render/icon.ts';
import { count } from '../crm/format.ts';
import { h, type View } from '../render/view.ts';
import type { Device } from './device.ts';
import type { Pane } from './inbox.ts';
import { describeStatus, type StatusWords } from './status-words.ts';

const ICONS: Readonly<Record<StatusWords['tone'], IconName>> = { good: 'check', busy: 'sending', wait: 'clock', late: 'clock', bad: 'alert' };

/** The status widget: state, numbers, and what stands beside them. */
export function statusView(device: Device): View {
  const { status, fault } = device;
  if (fault !== null) return widget({ tone: 'bad', headline: 'Not running', detail: fault }, device, null);
  if (status === null) return widget({ tone: 'busy', headline: 'Starting…', detail: 'Opening the database of this device' }, device, null);
  return widget(describeStatus(status), device, status.state);
}

function widget({ tone, headline, detail }: StatusWords, device: Device, state: string | null): View {
  const { status } = device;
  return h('div', { key: 'status', class: `status status-${tone}`, 'data-testid': 'status', 'data-state': state ?? 'stopped', 'data-pending': status?.pending ?? '' },
    h('span', { class: 'status-icon' }, icon(ICONS[tone])),
    h('div', { class: 'status-text' },
      h('p', { class: 'status-headline', role: 'status', 'aria-live': 'polite' }, headline),
      h('p', { class: 'status-detail' }, detail),
    ),
    h('ul', { class: 'chips', 'aria-label': 'Also' }, chipsOf(device).map((text) => h('li', { key: text, class: 'chip' }, text))),
    panesOf(device).map((pane) => paneButton(device, pane)),
    status?.progress ? h('div', { class: 'progress', role: 'progressbar', 'aria-label': headline }, h('span', {})) : null,
  );
}

interface PaneButton {
  readonly pane: Pane;
  readonly label: string;
  readonly isUrgent: boolean;
}

/** What waits for the person, each with the way to look at it. */
function panesOf({ status }: Device): readonly PaneButton[] {
  if (status === null) return [];
  const panes: readonly (PaneButton | false)[] = [
    status.drafts > 0 && { pane: 'drafts', label: count(status.drafts, 'draft'), isUrgent: false },
    status.notices > 0 && { pane: 'notices', label: count(status.notices, 'notice'), isUrgent: false },
    status.parked > 0 && { pane: 'waiting', label: `${status.parked.toLocaleString('en-GB')} kept aside`, isUrgent: false },
    status.syncErrors > 0 && { pane: 'problems', label: 'Look', isUrgent: true },
  ];
  return panes.filter((pane) => pane !== false);
}

function paneButton({ inbox }: Device, { pane, label, isUrgent }: PaneButton): View {
  const isShown = inbox.pane === pane;
  return h('button', {
    key: pane,
    type: 'button',
    class: `button small ${isUrgent ? 'danger-fill' : ''}`,
    'aria-expanded': isShown ? 'true' : 'false',
    on: { click: () => inbox.show(isShown ? null : pane) },
  }, isUrgent && isShown ? 'Hide' : label);
}

function chipsOf({ status }: Device): readonly string[] {
  if (status === null) return [];
  return [
    !status.isOnline && 'offline',
    status.needsAuth && 'sign-in needed',
    status.revoked && 'shut out',
    status.upgradeRequired && 'update needed',
    status.hasFeedGap && status.progress === null && 'download needed',
  ].filter((chip) => chip !== false);
}
