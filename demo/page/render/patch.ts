import type { AttributeValue, Listeners, View } from './view.ts';

const SVG = 'http://www.w3.org/2000/svg';
const PROPERTIES = new Set(['value', 'checked', 'indeterminate']);

/** What each element was last made to look like. */
const viewOf = new WeakMap<Element, View>();

/** Makes the children of `parent` look like `views`, reusing elements, so that focus, scroll and what a person is typing stay. */
export function patch(parent: Element, views: readonly (View | string)[]): void {
  const focused = document.activeElement;
  patchChildren(parent, views);
  // Moving an element in the document takes the focus away from it.
  if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

function patchChildren(parent: Element, views: readonly (View | string)[]): void {
  const old = [...parent.childNodes];
  const chosen = chooseNodes(old, views);
  const kept = new Set(chosen);
  for (const node of old) if (!kept.has(node)) node.remove();
  let next: ChildNode | null = parent.firstChild;
  views.forEach((view, index) => {
    const reused = chosen[index];
    const node = reused ?? createNode(view, parent);
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
    if (typeof view === 'string') {
      if (node.nodeValue !== view) node.nodeValue = view;
    } else {
      patchElement(node as Element, view, reused === undefined);
    }
  });
}

/** Picks the node to reuse for each view: the one of its key, else the next one of its kind. */
function chooseNodes(old: readonly ChildNode[], views: readonly (View | string)[]): (ChildNode | undefined)[] {
  const byKey = new Map<string, ChildNode>();
  const byKind = new Map<string, ChildNode[]>();
  for (const node of old) {
    const view = node instanceof Element ? viewOf.get(node) : undefined;
    if (view?.key !== undefined) byKey.set(`${view.tag} ${view.key}`, node);
    else if (view !== undefined || node instanceof Text) {
      const kind = view?.tag ?? '#text';
      byKind.set(kind, [...(byKind.get(kind) ?? []), node]);
    }
  }
  return views.map((view) => {
    if (typeof view === 'string') return byKind.get('#text')?.shift();
    return view.key === undefined ? byKind.get(view.tag)?.shift() : byKey.get(`${view.tag} ${view.key}`);
  });
}

function createNode(view: View | string, parent: Element): ChildNode {
  if (typeof view === 'string') return document.createTextNode(view);
  const isSvg = view.tag === 'svg' || parent.namespaceURI === SVG;
  return isSvg ? document.createElementNS(SVG, view.tag) : document.createElement(view.tag);
}

function patchElement(element: Element, view: View, isNew: boolean): void {
  const before = viewOf.get(element);
  viewOf.set(element, view);
  patchListeners(element, before?.on ?? {}, view.on);
  for (const name of Object.keys(before?.attributes ?? {})) {
    if (!(name in view.attributes)) setAttribute(element, name, undefined);
  }
  // Children first: a select can only take its value once it has its options.
  patchChildren(element, view.children);
  for (const [name, value] of Object.entries(view.attributes)) {
    if (PROPERTIES.has(name) || before?.attributes[name] !== value) setAttribute(element, name, value);
  }
  if (isNew && view.onMount) queueMicrotask(() => view.onMount?.(element as HTMLElement));
}

function setAttribute(element: Element, name: string, value: AttributeValue): void {
  if (PROPERTIES.has(name)) {
    const target = element as unknown as Record<string, AttributeValue>;
    if (target[name] !== value) target[name] = value ?? '';
  } else if (value === undefined || value === null || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? '' : String(value));
}

/** One listener per kind of event stays on the element and asks the newest view what to do. */
function patchListeners(element: Element, before: Listeners, now: Listeners): void {
  for (const kind of Object.keys(before)) if (!(kind in now)) element.removeEventListener(kind, hear);
  for (const kind of Object.keys(now)) if (!(kind in before)) element.addEventListener(kind, hear);
}

function hear(this: unknown, event: Event): void {
  const listener = viewOf.get(event.currentTarget as Element)?.on[event.type as keyof Listeners] as ((event: Event) => void) | undefined;
  listener?.(event);
}
