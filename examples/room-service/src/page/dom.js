// Elements. Texts from outside are set as text, and as nothing else.

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** A new element, with a class and children or texts. */
export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Sets a text if it is another: what stays the same is not painted, selected or read anew. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Makes the children of a parent those of the items, in their order, a child a key. Children that
 * stay are kept and moved as little as possible, so that they keep focus and selection.
 */
export function keep(parent, items, keyOf, make, update) {
  const known = parent.known ?? (parent.known = new Map());
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const focusedAt = focused ? [...parent.children].findIndex((it) => it.contains(focused)) : -1;

  const wanted = new Set(items.map(keyOf));
  for (const [key, child] of known) {
    if (!wanted.has(key)) {
      child.remove();
      known.delete(key);
    }
  }
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = known.get(key);
    if (!child) {
      child = make(item);
      known.set(key, child);
    }
    update(child, item);
    if (child === place) {
      place = place.nextElementSibling;
    } else {
      parent.insertBefore(child, place);
    }
  }

  if (focused && document.activeElement !== focused) {
    const heir = focused.isConnected ? focused : parent.children[Math.min(focusedAt, parent.children.length - 1)];
    heir?.focus({ preventScroll: true });
  }
}
