import { createDevice, type Device, type DeviceOptions } from './device/device.ts';
import { deviceView } from './device/device-view.ts';
import { DEVICES } from './device/profiles.ts';
import { guideView } from './guide/guide-view.ts';
import { createProgress, type Walk } from './guide/walks.ts';
import { createOffice, type Office } from './office/office.ts';
import type { OfficeApi } from './office/office-api.ts';
import { officeView } from './office/office-view.ts';
import { createPainter } from './render/paint.ts';
import type { View } from './render/view.ts';
import { headView } from './shell/head-view.ts';
import { switcherView, type PlaceTab } from './shell/switcher-view.ts';
import { createThemeSwitch } from './shell/theme.ts';

export interface AppOptions {
  readonly openClient: DeviceOptions['openClient'];
  readonly officeApi: OfficeApi;
}

const GUIDE_KEY = 'fieldtide-demo/guide';

/** Starts the page: three devices and the back office, each painted by itself when it changes. */
export function startApp({ openClient, officeApi }: AppOptions): void {
  const progress = createProgress();
  let selected = DEVICES[0]!.key;
  // On a narrow screen the guide would hide what it is about.
  let isGuideShown = (localStorage.getItem(GUIDE_KEY) ?? (innerWidth >= 1_024 ? 'shown' : 'hidden')) === 'shown';

  // Painters come last: until then a change has nothing to paint.
  const paintPanel = new Map<string, () => void>();
  let paintTop = (): void => {};

  const onPanelChange = (key: string): void => {
    paintPanel.get(key)?.();
    paintTop();
  };
  const devices: readonly Device[] = DEVICES.map((profile) => createDevice({ profile, openClient, onChange: () => onPanelChange(profile.key) }));
  const office: Office = createOffice(officeApi, () => onPanelChange('office'));
  const theme = createThemeSwitch(() => paintTop());
  const tabs: readonly PlaceTab[] = [
    ...devices.map((device) => ({ key: device.profile.key, title: device.profile.title, device })),
    { key: 'office', title: 'Back office', device: null },
  ];

  for (const device of devices) paintPanel.set(device.profile.key, createPainter(panelOf(device.profile.key), () => deviceView(device)));
  paintPanel.set('office', createPainter(panelOf('office'), () => officeView(office)));
  paintTop = createPainter(document.querySelector('#top')!, topView);
  select(selected);
  document.addEventListener('visibilitychange', () => devices.forEach((device) => device.repeatNetwork()));

  function topView(): readonly View[] {
    look();
    const head = headView({ theme, isGuideShown, onToggleGuide: toggleGuide });
    const guide = isGuideShown ? [guideView({ progress, onSelect: selectWalk, onStartOver: startOver })] : [];
    return [head, ...guide, switcherView(tabs, selected, select)];
  }

  function selectWalk(walk: Walk): void {
    progress.select(walk);
    paintTop();
  }

  function startOver(walk: Walk): void {
    progress.startOver(walk);
    paintTop();
  }

  function look(): void {
    const [tablet, phone, ben] = devices;
    if (tablet && phone && ben) progress.look({ tablet, phone, ben, office });
  }

  function toggleGuide(): void {
    isGuideShown = !isGuideShown;
    localStorage.setItem(GUIDE_KEY, isGuideShown ? 'shown' : 'hidden');
    paintTop();
  }

  function select(key: string): void {
    selected = key;
    for (const tab of tabs) panelOf(tab.key).classList.toggle('panel-selected', tab.key === key);
    paintTop();
  }
}

function panelOf(key: string): HTMLElement {
  return document.querySelector<HTMLElement>(`#panel-${key}`)!;
}
