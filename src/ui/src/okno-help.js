// The list of keys, over the page. Escape or ? closes it.
import { css, html } from "lit";
import { OknoElement } from "./element.js";
import { t } from "./i18n.js";

const groups = [
  ["help.decide", [["V", "valid"], ["I 1…9", "invalid"], ["U 1…9", "undeterminable"], ["Q", "picture"], ["S", "skip"], ["Z", "undo"], ["C", "comment"], ["B", "lamp"]]],
  ["help.watch", [["␣", "play"], [", .", "frame"], ["J L", "five"], ["[ ]", "window"], ["O", "overlay"], ["P", "preview"], ["?", "help"]]],
];

class OknoHelp extends OknoElement {
  static styles = [OknoElement.styles, css`
    dialog { border: 1px solid var(--line); border-radius: .5rem; background: var(--surface); color: var(--text);
      box-shadow: var(--shadow); padding: 1.5rem; max-width: min(44rem, calc(100vw - 2rem)); }
    dialog::backdrop { background: rgb(10 15 20 / .4); }
    .head { display: flex; justify-content: space-between; align-items: center; margin-bottom: 1rem; }
    .groups { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1.5rem 2rem; }
    dl { display: grid; grid-template-columns: 4.5rem 1fr; gap: .5rem .75rem; align-items: baseline; }
    dt { display: flex; gap: .25rem; }
    h3 { margin-bottom: .5rem; }
    p { margin-top: 1.5rem; }
  `];

  firstUpdated() {
    this.renderRoot.querySelector("dialog").showModal();
  }

  keyed(event) {
    if (event.key !== "?") return;
    event.stopPropagation();
    event.preventDefault();
    this.emit("help-close");
  }

  // On cancel, not on close: close comes a task later, and a key pressed in between would be lost.
  render() {
    return html`
      <dialog aria-labelledby="title" @cancel=${() => this.emit("help-close")} @keydown=${this.keyed}>
        <div class="head"><h1 id="title">${t("help.title")}</h1>
          <button class="quiet" @click=${() => this.emit("help-close")}>${t("help.close")} <kbd>Esc</kbd></button></div>
        <div class="groups">${groups.map(([title, keys]) => html`
          <section><h3>${t(title)}</h3><dl>${keys.map(([caps, text]) => html`
            <dt>${caps.split(" ").map((cap) => html`<kbd>${cap}</kbd>`)}</dt><dd>${t(`help.${text}`)}</dd>`)}</dl></section>`)}</div>
        <p class="muted">${t("help.blind")}</p>
      </dialog>`;
  }
}
customElements.define("okno-help", OknoHelp);
