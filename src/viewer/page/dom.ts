/** Making and finding elements. Text goes in as text nodes only, whatever it looks like. */

/** @param attributes `class`, `data-…`, `title` …; children that are strings become text nodes */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The element under an id, which the page always has. */
export function elementOf<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}.`);
  return element;
}

export const byId = (id: string): HTMLElement => elementOf(id, HTMLElement);

/** Leaves the text alone where it is already that: screen readers hear of changes only. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Scrolls a list alone, and only where the row is out of sight. */
export function reveal(list: Element, row: Element | undefined): void {
  if (row === undefined) return;
  const [box, around] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
  if (box.top < around.top) list.scrollTop += box.top - around.top;
  else if (box.bottom > around.bottom) list.scrollTop += box.bottom - around.bottom;
}
