// What the expert has written about an item but not sent: kept in the tab, so that a reload or a
// lost lease loses nothing.

const key = (item) => `okno.draft.${item}`;

export const emptyDraft = () => ({ comment: "", checklist: {}, false_fm: false, fm_back: false, blinding_broken: false });

export function loadDraft(item) {
  try {
    return { ...emptyDraft(), ...JSON.parse(sessionStorage.getItem(key(item)) ?? "{}") };
  } catch {
    return emptyDraft();
  }
}

/** On logging out: the next person at this computer reads none of it. */
export function dropDrafts() {
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(key(""))) sessionStorage.removeItem(name);
  } catch {
    // Nothing is kept where keeping is refused.
  }
}

export function saveDraft(item, draft) {
  try {
    sessionStorage.setItem(key(item), JSON.stringify(draft));
  } catch {
    // No room or no permission: the draft lives as long as the page.
  }
}
