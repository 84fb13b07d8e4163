// What was begun and not sent, by rating, until it is sent, or the window closes.
const drafts = new Map();

export const draftOf = (rating) => drafts.get(rating) ?? "";

export const keepDraft = (rating, text) => { drafts.set(rating, text); };

export const dropDraft = (rating) => { drafts.delete(rating); };

export const dropAllDrafts = () => { drafts.clear(); };
