// What the customer answered: sign and word. Silent is an answer of its own.
import { css, html } from "lit";
import { OknoElement } from "./element.js";
import { named } from "./i18n.js";

const signs = { yes: "+", no: "−", unsure: "±", silent: "○", open: "…" };

export const answerOf = ({ state, answer }) => answer ?? (state === "open" ? "open" : "silent");

class OknoAnswer extends OknoElement {
  static properties = { answer: {} };

  static styles = [OknoElement.styles, css`
    :host { display: inline-block; white-space: nowrap; }
    .sign { display: inline-block; width: 1.25em; font-weight: 700; }
    .silent, .open { color: var(--muted); }
  `];

  render() {
    return html`<span class=${this.answer}><span class="sign" aria-hidden="true">${signs[this.answer] ?? ""}</span>${named("answer", this.answer)}</span>`;
  }
}
customElements.define("okno-answer", OknoAnswer);
