import { h, type View } from './view.ts';

/** Line icons on a 20 × 20 grid, drawn in the colour of the text around them. */
const PATHS = {
  tablet: ['M5 2.5h10A1.5 1.5 0 0 1 16.5 4v12a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 16V4A1.5 1.5 0 0 1 5 2.5Z', 'M9 14.75h2'],
  phone: ['M7 2h6a1.5 1.5 0 0 1 1.5 1.5v13A1.5 1.5 0 0 1 13 18H7a1.5 1.5 0 0 1-1.5-1.5v-13A1.5 1.5 0 0 1 7 2Z', 'M9.25 15.5h1.5'],
  office: ['M3.5 17.5v-13l7-2v15', 'M10.5 7.5h6v10', 'M2 17.5h16', 'M6 7.5h2M6 10.5h2M6 13.5h2M13 10.5h1M13 13.5h1'],
  search: ['M8.75 14a5.25 5.25 0 1 0 0-10.5 5.25 5.25 0 0 0 0 10.5Z', 'm12.75 12.75 4 4'],
  plus: ['M10 4v12M4 10h12'],
  back: ['M12 4.5 6.5 10l5.5 5.5'],
  next: ['M8 4.5 13.5 10 8 15.5'],
  download: ['M10 3v9.5', 'm6 8.75 4 4 4-4', 'M4 16.5h12'],
  restart: ['M4.2 8.2A6.2 6.2 0 1 1 4 11.6', 'M3.6 3.8v4.6h4.6'],
  undo: ['M7.5 4 3.5 8l4 4', 'M3.5 8h8a4.5 4.5 0 0 1 0 9H8'],
  check: ['m4.5 10.5 3.6 3.6 7.4-8'],
  clock: ['M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14Z', 'M10 6.25V10l2.5 1.75'],
  sending: ['M10 16.5v-12', 'm5.5 8.5 4.5-4.5 4.5 4.5'],
  alert: ['M10 3 2.5 16.5h15L10 3Z', 'M10 8v4', 'M10 14.1v.2'],
  sun: ['M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z', 'M10 1.75v1.5M10 16.75v1.5M1.75 10h1.5M16.75 10h1.5M4.2 4.2l1 1M14.8 14.8l1 1M4.2 15.8l1-1M14.8 5.2l1-1'],
  moon: ['M16.5 12A7 7 0 0 1 8 3.5 7 7 0 1 0 16.5 12Z'],
  trash: ['M4 5.5h12', 'M8 5.5V3.75h4V5.5', 'm5.5 5.5.75 11h7.5l.75-11'],
  wave: ['M1.5 8.5c2.1-3 4.4-3 6.4 0s4.3 3 6.4 0 3-2.4 4.2-1.6', 'M1.5 14c2.1-3 4.4-3 6.4 0s4.3 3 6.4 0 3-2.4 4.2-1.6'],
  close: ['m5 5 10 10M15 5 5 15'],
  guide: ['M4 3.5h9.5A2.5 2.5 0 0 1 16 6v10.5H6A2 2 0 0 1 4 14.5v-11Z', 'M7.5 7.5h5M7.5 10.5h5'],
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName, className = ''): View {
  return h(
    'svg',
    { class: `icon icon-${name} ${className}`.trim(), viewBox: '0 0 20 20', 'aria-hidden': 'true', focusable: 'false' },
    PATHS[name].map((d) => h('path', { d })),
  );
}
