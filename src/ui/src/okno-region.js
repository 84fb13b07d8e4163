// A rectangle on a picture, in per cent of it: drawn with the pointer, or moved and sized with the arrow keys.
import { css, html, nothing, svg } from "lit";
import { OknoElement } from "./element.js";
import { t } from "./i18n.js";

const first = [40, 40, 60, 60];
const least = 1;
const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const within = (side) => Math.min(100, Math.max(0, Math.round(side)));

/** Left, top, right, bottom of two corners; never thinner than can be looked at. */
function between([x1, y1], [x2, y2]) {
  const span = (a, b) => {
    const from = Math.min(within(Math.min(a, b)), 100 - least);
    return [from, Math.max(within(Math.max(a, b)), from + least)];
  };
  const [left, right] = span(x1, x2);
  const [top, bottom] = span(y1, y2);
  return [left, top, right, bottom];
}

class OknoRegion extends OknoElement {
  static properties = { picture: {}, value: { attribute: false }, alt: {} };

  static styles = [OknoElement.styles, css`
    :host { display: block; max-width: 32rem; }
    .stage { position: relative; touch-action: none; cursor: crosshair; user-select: none; background: var(--sunken); }
    .stage:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    img { display: block; width: 100%; pointer-events: none; }
    svg { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
    rect { fill: none; stroke: #fff; stroke-width: 2px; }
    rect.dark { stroke: #000; stroke-width: 5px; }
    .note { color: var(--muted); margin: .125rem 0; }
  `];

  tell(value) {
    this.value = value;
    this.emit("region", value);
  }

  at(event) {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    return [(event.clientX - left) / width * 100, (event.clientY - top) / height * 100];
  }

  press(event) {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    this.corner = this.at(event);
  }

  drag(event) {
    if (this.corner) this.tell(between(this.corner, this.at(event)));
  }

  leave() {
    this.corner = null;
  }

  /** Arrows move it, with Shift its right lower corner; Delete takes it away. */
  key(event) {
    const step = steps[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey || !(step || event.key === "Delete")) return;
    event.preventDefault();
    event.stopPropagation();
    if (!step) return this.tell(null);
    if (!this.value) return this.tell(first);
    const [left, top, right, bottom] = this.value;
    const [dx, dy] = step;
    if (event.shiftKey) return this.tell(between([left, top], [Math.max(left + least, right + dx), Math.max(top + least, bottom + dy)]));
    if (left + dx < 0 || right + dx > 100 || top + dy < 0 || bottom + dy > 100) return;
    this.tell([left + dx, top + dy, right + dx, bottom + dy]);
  }

  box([left, top, right, bottom]) {
    const side = (kind) => svg`<rect class=${kind} x=${left} y=${top} width=${right - left} height=${bottom - top} vector-effect="non-scaling-stroke"></rect>`;
    return html`<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">${side("dark")}${side("box")}</svg>`;
  }

  render() {
    return html`<div class="stage" tabindex="0" role="application" aria-label=${t("region.label")} aria-describedby="how"
        @pointerdown=${this.press} @pointermove=${this.drag} @pointerup=${this.leave} @pointercancel=${this.leave} @keydown=${this.key}>
      <img src=${this.picture} alt=${this.alt ?? ""} draggable="false">
      ${this.value ? this.box(this.value) : nothing}</div>
      <p class="note" id="how">${t("region.how")}</p>`;
  }
}
customElements.define("okno-region", OknoRegion);
