import { icon, type IconName } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';
import type { Device } from './device.ts';
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
    status?.syncErrors
      ? h('button', {
        type: 'button',
        class: 'button danger-fill small',
        'aria-expanded': device.isShowingProblems ? 'true' : 'false',
        on: { click: () => device.showProblems(!device.isShowingProblems) },
      }, device.isShowingProblems ? 'Hide' : 'Look')
      : null,
    status?.progress ? h('div', { class: 'progress', role: 'progressbar', 'aria-label': headline }, h('span', {})) : null,
  );
}

function chipsOf({ status }: Device): readonly string[] {
  if (status === null) return [];
  return [
    !status.isOnline && 'offline',
    status.needsAuth && 'sign-in needed',
    status.upgradeRequired && 'update needed',
    status.hasFeedGap && status.progress === null && 'download needed',
  ].filter((chip) => chip !== false);
}
