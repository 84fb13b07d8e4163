// Which command a key press means. A Latin letter counts by what it says; on another layout
// (Russian) the key counts by its place, so that V stays where the V is printed.

const places = {
  Comma: ",", Period: ".", BracketLeft: "[", BracketRight: "]", Space: " ", Enter: "Enter", Escape: "Escape",
};

/** The command's name: a lower-case Latin letter, a digit, one of , . [ ] ? space, Enter, Escape, or "". */
export function keyName(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return "";
  if (event.key === "?") return "?";
  if (/^[a-z0-9,.[\] ]$/i.test(event.key) && !isShiftedPlace(event)) return event.key.toLowerCase();
  if (/^Key[A-Z]$/.test(event.code)) return event.code.slice(3).toLowerCase();
  if (/^(Digit|Numpad)\d$/.test(event.code) && !event.shiftKey) return event.code.slice(-1);
  return places[event.code] ?? "";
}

// On a Russian layout the key beside Shift types "." and, with Shift, ","; by its place it is "/".
const isShiftedPlace = (event) => event.code === "Slash" && (event.key === "." || event.key === ",");

/** True while the user writes: commands must not fire. */
export function isTyping(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof Element)) return false;
  if (target.matches("textarea, select")) return true;
  return target.matches("input") && !["checkbox", "radio", "range"].includes(target.type);
}

/** Space and Enter on a focused control belong to the control. */
export function isPressing(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && target.matches("button, a[href], input, summary, [role=slider]") &&
    (event.key === " " || event.key === "Enter");
}
