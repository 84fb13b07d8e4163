// The seller's button: how long it was down decides what it says. Pointer or keyboard; the time that
// counts is when it went down.

export const holdMs = 1000;
const bounceMs = 30; // a second contact so soon after the first is the same finger; devices have the same limit

export class PressButton {
  /** onDown(), onHold() once it counts as long, onUp({at, ms}) with wall clock and duration. */
  constructor({ onDown, onHold, onUp }) {
    Object.assign(this, { onDown, onHold, onUp, downAt: null, lastUp: -bounceMs });
  }

  down() {
    if (this.downAt !== null || performance.now() - this.lastUp < bounceMs) return;
    this.downAt = performance.now();
    this.wall = Date.now();
    this.timer = setTimeout(() => this.onHold(), holdMs);
    this.onDown();
  }

  up() {
    if (this.downAt === null) return;
    clearTimeout(this.timer);
    const ms = Math.round(performance.now() - this.downAt);
    this.downAt = null;
    this.lastUp = performance.now();
    this.onUp({ at: this.wall, ms });
  }

  pointerDown(event) {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture?.(event.pointerId);
    this.down();
  }

  keyDown(event) {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) this.down();
  }

  keyUp(event) {
    if (event.key === " " || event.key === "Enter") this.up();
  }
}
