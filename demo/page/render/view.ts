/** What a part of the page should look like: plain data that `patch` turns into elements. */
export interface View {
  readonly tag: string;
  /** Keeps an element with its view when siblings come, go or move. */
  readonly key: string | undefined;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly on: Listeners;
  /** Called once, when the element was made and placed. */
  readonly onMount: ((element: HTMLElement) => void) | undefined;
  readonly children: readonly (View | string)[];
}

export type AttributeValue = string | number | boolean | null | undefined;
export type Listeners = { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };
export type Child = View | string | number | false | null | undefined | readonly Child[];

export interface Props {
  readonly key?: string;
  readonly on?: Listeners;
  readonly onMount?: (element: HTMLElement) => void;
  /** Attributes by name; `false`, `null` and `undefined` leave one out. `value` and `checked` are set as properties. */
  readonly [attribute: string]: AttributeValue | Listeners | ((element: HTMLElement) => void);
}

/** Describes an element: `h('button', { class: 'quiet', on: { click } }, 'Undo')`. */
export function h(tag: string, props: Props, ...children: readonly Child[]): View {
  const { key, on, onMount, ...attributes } = props;
  return { tag, key, attributes: attributes as Record<string, AttributeValue>, on: on ?? {}, onMount, children: flatten(children) };
}

/** Joins class names, leaving out the ones that do not hold. */
export function classes(...names: readonly (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(' ');
}

function flatten(children: readonly Child[]): (View | string)[] {
  const flat: (View | string)[] = [];
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) flat.push(...flatten(child as readonly Child[]));
    else flat.push(typeof child === 'number' ? String(child) : (child as View | string));
  }
  return flat;
}
