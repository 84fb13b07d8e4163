// An empty state or an error: what happened, and what to do next.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";

class OknoNotice extends OknoElement {
  static properties = { heading: {}, text: {} };

  static styles = [OknoElement.styles, css`
    :host { padding: 4rem 1rem; }
    div { max-width: 32rem; margin: 0 auto; display: grid; gap: .75rem; justify-items: start; }
  `];

  render() {
    return html`<div role="status">
      ${this.heading ? html`<h1>${this.heading}</h1>` : nothing}
      ${this.text ? html`<p class="muted">${this.text}</p>` : nothing}
      <slot></slot></div>`;
  }
}
customElements.define("okno-notice", OknoNotice);
