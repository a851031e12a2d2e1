import type { Unsent } from '../../../src/client/inbox/sign-out.ts';
import { count } from '../crm/format.ts';
import { h, type View } from '../render/view.ts';
import type { Device } from './device.ts';

/** Asks what is to become of unsent work; nothing of it goes away, whatever the answer. */
export function askView(device: Device, unsent: Unsent): View {
  return h('section', { key: 'sign-out', class: 'ask', role: 'alertdialog', 'aria-label': 'Sign out', 'data-testid': 'sign-out', on: { keydown: (event) => event.key === 'Escape' && device.askToSignOut(false) } },
    h('p', {}, `Not everything is online: ${wordsOf(unsent)}.`),
    h('div', { class: 'problem-actions' },
      h('button', { type: 'button', class: 'button small primary', on: { click: () => void device.signOut('upload') }, onMount: (element) => element.focus() }, 'Upload now'),
      h('button', { type: 'button', class: 'button small', on: { click: () => void device.signOut('keep') } }, 'Keep on this device'),
      h('button', { type: 'button', class: 'quiet small', on: { click: () => device.askToSignOut(false) } }, 'Cancel'),
    ),
  );
}

/** A device that nobody is signed in to. */
export function signedOutView(device: Device, unsent: Unsent): View {
  const { person } = device.profile;
  const stays = wordsOf(unsent);
  return h('section', { key: 'signed-out', class: 'signed-out', 'data-testid': 'signed-out' },
    h('h3', {}, 'Signed out'),
    h('p', { class: 'muted' }, stays === '' ? 'Everything is online.' : `Kept on this device, for ${person.name} only, until the next sign-in: ${stays}.`),
    h('button', { type: 'button', class: 'button primary', on: { click: () => device.signIn() }, onMount: (element) => element.focus() }, `Sign in as ${person.name}`),
  );
}

function wordsOf({ pending, syncErrors, drafts }: Unsent): string {
  const parts = [pending > 0 && count(pending, 'change'), syncErrors > 0 && count(syncErrors, 'problem'), drafts > 0 && count(drafts, 'draft')];
  return parts.filter((part) => part !== false).join(', ');
}
