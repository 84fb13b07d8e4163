// What the expert sees, point by point: yes, no, or left open.
import { css, html } from "lit";
import { OknoElement } from "./element.js";
import { language, t } from "./i18n.js";

class OknoChecklist extends OknoElement {
  static properties = { items: { attribute: false }, values: { attribute: false } };

  static styles = [OknoElement.styles, css`
    li { display: flex; align-items: center; justify-content: space-between; gap: .5rem; min-height: 1.75rem; font-size: .8125rem; line-height: 1.3; padding: .125rem 0; }
    .pair { display: flex; flex: none; }
    .pair button { min-height: 1.5rem; padding: 0 .5rem; font-size: .75rem; color: var(--muted); }
    .pair button:first-child { border-radius: .25rem 0 0 .25rem; }
    .pair button:last-child { border-radius: 0 .25rem .25rem 0; border-left: 0; }
    .pair button[aria-pressed="true"] { background: var(--accent-soft); color: var(--accent); font-weight: 600; }
  `];

  choose(id, value) {
    const values = { ...this.values };
    if (values[id] === value) delete values[id];
    else values[id] = value;
    this.emit("checklist", { values });
  }

  renderChoice(item, value, text) {
    return html`<button aria-pressed=${String(this.values[item.id] === value)}
      aria-label="${item[language()]}: ${text}" @click=${() => this.choose(item.id, value)}>${text}</button>`;
  }

  render() {
    return html`<ul>${this.items.map((item) => html`
      <li><span>${item[language()]}</span><span class="pair">${
        this.renderChoice(item, true, t("review.yes"))}${this.renderChoice(item, false, t("review.no"))}</span></li>`)}</ul>`;
  }
}
customElements.define("okno-checklist", OknoChecklist);
